"""tests/cluster/nodes.py - nodes of Lucid as processes, each in a network namespace of its own, and the links between them.

What it is true to: the program as it is shipped, the kernel's TCP, the disk. All nodes share one machine and its clock. A
link is a veth pair to a bridge in a further namespace; addresses are 10.77.0.N, reachable from nowhere else. A link is cut,
in one direction or both, by sending to an address of nobody: nothing is refused, all is silence. Delay and loss are netem's,
or, where the kernel has none, those of wire.py.

Everything made here ends with `Cluster.end`, at the end of the process in every case: processes by their id, namespaces by
their name, which has the process's id in it. Where the process is killed, a guard beside it does the same.
"""
import atexit
import http.client
import itertools
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile

from checks import check, eventually, say
from namespaces import GUARD, control_groups, die_with_parent, inside, ip
from node_process import LOG_LINES_SHOWN, Node

HERE = pathlib.Path(__file__).resolve().parent
PORT = 7800
NOBODY = "02:77:00:00:00:fe"


class Cluster:
    """Nodes pi-1, pi-2 ... on one bridge."""

    _numbers = itertools.count()

    def __init__(self, program, count, keep=False):
        self.program = str(pathlib.Path(program).resolve())
        self.prefix = f"lucid{os.getpid()}x{next(self._numbers)}"
        self.hub = f"{self.prefix}-hub"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lucid-cluster-"))
        self.keep = keep
        self.ended = False
        self.spaces = []
        self.cuts = set()
        atexit.register(self.end)
        self.nodes = [Node(self, n + 1) for n in range(count)]
        if keep:
            (self.folder / "keep").touch()
        self.groups = control_groups() / f"{self.prefix}-"
        spaces = [self.hub, *[n.space for n in self.nodes]]
        self.guard = subprocess.Popen(["sh", "-c", GUARD, "guard", self.folder, self.groups, *spaces],
                                      stdin=subprocess.PIPE, start_new_session=True)
        self.guard.wait()
        self._lay_cables()
        self.has_netem = self._try_netem()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()

    def __getitem__(self, number):
        """By number, from 1 on, as in the name."""
        return self.nodes[number - 1]

    def _space(self, name):
        ip("netns", "add", name)
        self.spaces.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def _lay_cables(self):
        self._space(self.hub)
        ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.hub, "link", "set", "bridge", "up")
        for node in self.nodes:
            self._space(node.space)
            ip("-n", node.space, "link", "add", "eth0", "address", node.mac, "type", "veth",
               "peer", "name", node.port_name, "netns", self.hub)
            ip("-n", node.space, "address", "add", f"{node.address}/24", "dev", "eth0")
            subprocess.run([*inside(node.space), sys.executable, HERE / "wire.py", "plain", "eth0"], check=True)
            ip("-n", node.space, "link", "set", "eth0", "up")
            # The other side of a wire, if there is ever one.
            ip("-n", self.hub, "link", "add", f"f{node.number}", "type", "veth", "peer", "name", f"g{node.number}")
            for device in (node.port_name, f"g{node.number}", f"f{node.number}"):
                ip("-n", self.hub, "link", "set", device, "up")
            for device in (node.port_name, f"g{node.number}"):
                ip("-n", self.hub, "link", "set", device, "master", "bridge")
        for one in self.nodes:
            for other in self.nodes:
                if one is not other:
                    self._tell(one, other, other.mac)

    @staticmethod
    def _tell(one, other, mac):
        ip("-n", one.space, "neigh", "replace", other.address, "lladdr", mac, "nud", "permanent", "dev", "eth0")

    def _try_netem(self):
        tried = subprocess.run([*inside(self.hub), "tc", "qdisc", "replace", "dev", "bridge", "root", "netem", "delay", "1ms"],
                               capture_output=True)
        if tried.returncode == 0:
            subprocess.run([*inside(self.hub), "tc", "qdisc", "del", "dev", "bridge", "root"], check=True)
        return tried.returncode == 0

    # --- links ------------------------------------------------------------------------------------------------------

    def cut(self, one, other, both=True):
        """Nothing that `one` sends arrives at `other`; both: nor the other way."""
        self._tell(one, other, NOBODY)
        self.cuts.add((one.number, other.number))
        if both:
            self.cut(other, one, both=False)

    def partition(self, *sides):
        for number, side in enumerate(sides):
            for other_side in sides[number + 1:]:
                for one in side:
                    for other in other_side:
                        self.cut(one, other)

    def heal(self):
        for one, other in self.cuts:
            self._tell(self[one], self[other], self[other].mac)
        self.cuts.clear()
        for node in self.nodes:
            node.unshape()

    # --- configuration ----------------------------------------------------------------------------------------------

    def write_configs(self, by_files=True, capture=None, seal=None, anchor=None, replicas=None, extra=None, level="debug"):
        """`extra`: lines by section, such as {"replication": ['repair_after = "2 s"']}."""
        secret = self.folder / "secret"
        if not secret.exists():
            secret.write_text(secrets.token_hex(32) + "\n")
            secret.chmod(0o600)
        members = ", ".join(f'{n.name} = "tcp://{n.address}:{PORT}"' for n in self.nodes)
        for node in self.nodes:
            node.folder.mkdir(exist_ok=True)
            sections = {
                "node": [f'name = "{node.name}"', f'data_dir = "{node.data}"'],
                "mesh": [f'listen = "{node.address}:{PORT}"'],
                "placement": [],
                "console": ['serve = "off"'],
                "log": [f'level = "{level}"'],
            }
            if by_files:
                sections["cluster"] = ['name = "home"', f'secret_file = "{secret}"', f"nodes = {{ {members} }}"]
            for role, names in (("capture", capture), ("seal", seal), ("anchor", anchor), ("replicas", replicas)):
                if names is not None:
                    sections["placement"].append(f"{role} = {json.dumps([f'pi-{n}' for n in names])}")
            for section, lines in (extra or {}).items():
                sections.setdefault(section, []).extend(lines)
            text = "".join(f"[{name}]\n" + "".join(line + "\n" for line in lines) for name, lines in sections.items())
            node.config.write_text(text)

    def make_keys(self):
        makers = [subprocess.Popen([self.program, "--config", node.config, "keys", "init", "--no-passphrase"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
                  for node in self.nodes]
        check(not any([maker.wait(60) for maker in makers]), "no keys could be made")

    def start(self):
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()

    def wait_formed(self, seconds=20, nodes=None):
        """All of `nodes` see all others of them; seconds it took."""
        nodes = nodes or self.nodes
        names = {n.name for n in nodes}
        return eventually("all see all", seconds, lambda: all(names - {n.name} <= set(n.sees()) for n in nodes), 0.05)[1]

    def holder(self, seconds=15, role="seal", among=None, other_than=None):
        """Who itself says that it holds the role, its lease, and after how long."""
        def ask():
            for node in among or self.nodes:
                if not node.runs:
                    continue
                try:
                    lease = node.lease(role)
                except (OSError, ValueError, http.client.HTTPException):
                    continue
                if lease and lease["holder_name"] == node.name and node.name != other_than:
                    return node, lease
            return None
        (node, lease), took = eventually(f"somebody holds {role}", seconds, ask, 0.02)
        return node, lease, took

    # --- end --------------------------------------------------------------------------------------------------------

    def end(self):
        if self.ended:
            return
        self.ended = True
        for node in self.nodes:
            if node.process:
                node.kill()
            if node.wire:
                node.wire.kill()
                node.wire.wait()
                node.wire = None
        for node in self.nodes:
            if node.slow:
                node.slow.end()
        for space in self.spaces:
            ip("netns", "del", space, must=False)
        self.guard.stdin.close()
        if self.keep:
            say(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def show_logs(self, lines=LOG_LINES_SHOWN):
        for node in self.nodes:
            print(f"--- {node.name}, last lines of its log\n{node.tail(lines)}", file=sys.stderr, flush=True)
