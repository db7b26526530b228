"""tests/cluster/nodes.py - nodes of Lucid as processes, each in a network namespace of its own, and the links between them.

What it is true to: the program as it is shipped, the kernel's TCP, the disk. All nodes share one machine and its clock. A
link is a veth pair to a bridge in a further namespace; addresses are 10.77.0.N, reachable from nowhere else. A link is cut,
in one direction or both, by sending to an address of nobody: nothing is refused, all is silence. Delay and loss are netem's,
or, where the kernel has none, those of wire.py.

Everything made here ends with `Cluster.end`, at the end of the process in every case: processes by their id, namespaces by
their name, which has the process's id in it. Where the process is killed, a guard beside it does the same.
"""
import atexit
import calendar
import ctypes
import http.client
import itertools
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1
PORT = 7800
NOBODY = "02:77:00:00:00:fe"
LOG_LINES_SHOWN = 25
ANSWER_SECONDS = 5
FINAL = ("completed", "interrupted", "failed")


# Waits until nobody holds the other end of its standard input, and leaves the test's process tree, so that whoever kills
# that tree does not kill it. $1 is the folder, $2 the control groups, the others are namespaces.
GUARD = """exec 3<&0
( trap '' INT TERM HUP
  cat <&3
  sleep 1 # Nodes that were killed need a moment to be gone.
  folder=$1; groups=$2; shift 2
  for space; do ip netns del "$space"; done
  for data in "$folder"/*/data; do mountpoint -q "$data" && umount "$data"; done
  for image in "$folder"/*/disk.img; do losetup -j "$image" | cut -d: -f1 | xargs -r losetup -d; done
  rmdir "$groups"*
  [ -e "$folder/keep" ] || rm -rf "$folder"
) > /dev/null 2>&1 &"""


class Wrong(AssertionError):
    """What was tested does not hold."""


def check(holds, text):
    if not holds:
        raise Wrong(text)


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def skip(text):
    print(f"SKIPPED: {text}", file=sys.stderr, flush=True)
    raise SystemExit(SKIPPED)


def eventually(what, seconds, ask, pause=0.1):
    """The first answer of `ask` that is true, and after how many seconds it came."""
    began = time.monotonic()
    last = None
    while True:
        try:
            answer = ask()
            if answer:
                return answer, time.monotonic() - began
            last = answer
        except (OSError, http.client.HTTPException, ValueError, subprocess.SubprocessError) as trouble:
            last = trouble
        if time.monotonic() - began > seconds:
            raise Wrong(f"not within {seconds} s: {what} (last: {last!r})")
        time.sleep(pause)


def die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def inside(space):
    """What runs a command in a namespace. `ip netns exec` and `ip -n` mount things, which needs a "/" that is a mount."""
    return ["nsenter", f"--net=/run/netns/{space}"]


def ip(*words, must=True):
    """As the program; `-n NAME` first is the namespace it is about."""
    command = [*inside(words[1]), "ip", *words[2:]] if words[0] == "-n" else ["ip", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if must and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done


def require_namespaces():
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for program in ("ip", "tc", "nsenter"):
        if shutil.which(program) is None:
            skip(f"{program} is missing (scripts/install_deps.sh test)")
    probe = f"lucid{os.getpid()}-probe"
    made = ip("netns", "add", probe, must=False)
    if made.returncode:
        skip(f"no network namespace can be made here: {made.stderr.strip()}")
    ip("netns", "del", probe, must=False)


def control_groups():
    """Where control groups of the block controller are made."""
    blkio = pathlib.Path("/sys/fs/cgroup/blkio")
    return blkio if blkio.is_dir() else pathlib.Path("/sys/fs/cgroup")


class ControlConnection(http.client.HTTPConnection):
    def __init__(self, path, seconds):
        super().__init__("control", timeout=seconds)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    """One node: its folder, its namespace and, while it runs, its process."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.name = f"pi-{number}"
        self.address = f"10.77.0.{number}"
        self.mac = f"02:77:00:00:00:{number:02x}"
        self.space = f"{cluster.prefix}-{number}"
        self.port_name = f"p{number}"
        self.folder = cluster.folder / self.name
        self.data = self.folder / "data"
        self.config = self.folder / "lucid.toml"
        self.log = self.folder / "log"
        self.process = None
        self.wire = None
        self.lives = 0
        self.slow = None

    # --- process ----------------------------------------------------------------------------------------------------

    def start(self, wait=True):
        check(self.process is None, f"{self.name} runs already")
        with open(self.log, "ab") as log:
            log.write(f"--- start {self.lives + 1}\n".encode())
            log.flush()
            command = [*inside(self.space), self.cluster.program, "--config", self.config, "node"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=self._before_exec)
        self.lives += 1
        if wait:
            self.wait_ready()

    def _before_exec(self):
        die_with_parent()
        if self.slow:
            self.slow.enter()

    def wait_ready(self, seconds=30):
        def answers():
            check(self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            return self.get("/v1/node")
        eventually(f"{self.name} answers", seconds, answers, 0.05)

    def kill(self):
        """As a loss of power does it, but for the disk's cache."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def pause(self):
        """As a machine that hangs: connections stay, nothing is answered, clocks run on."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, seconds=30):
        self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.name} does not stop in order within {seconds} s:\n{self.tail()}")
        self.process = None
        check(code == 0, f"{self.name} stopped with {code}:\n{self.tail()}")

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    def tail(self, lines=LOG_LINES_SHOWN):
        if not self.log.exists():
            return "(no log)"
        return "".join(self.log.read_text(errors="replace").splitlines(True)[-lines:])

    def logged(self, pattern, since):
        """The first line since then (seconds since 1970) that has it: (match, seconds after `since`), or None."""
        for line in self.log.read_text(errors="replace").splitlines():
            found = re.search(pattern, line)
            if not found or len(line) < 24 or line[23] != "Z":
                continue
            at = calendar.timegm(time.strptime(line[:19], "%Y-%m-%dT%H:%M:%S")) + float(line[19:23])
            if at >= since - 0.001:
                return found, at - since
        return None

    def memory_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as status:
            return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # --- asking -----------------------------------------------------------------------------------------------------

    def request(self, method, path, body=None, seconds=ANSWER_SECONDS):
        """Status and answer; OSError where nobody answers."""
        connection = ControlConnection(self.data / "control.sock", seconds)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def get(self, path, seconds=ANSWER_SECONDS):
        status, answer = self.request("GET", path, seconds=seconds)
        if status != 200:
            raise ValueError(f"{self.name}: GET {path}: {status} {answer}")
        return answer

    def lucid(self, *words, seconds=60, codes=(0,), inside=False):
        """The command line on this node: (exit code, standard output, standard error)."""
        command = [self.cluster.program, "--config", self.config, *words]
        if inside:
            command = [*inside(self.space), *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                              preexec_fn=die_with_parent)
        if codes is not None and done.returncode not in codes:
            asked = " ".join(map(str, words))
            raise Wrong(f"{self.name}: lucid {asked} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout, done.stderr

    def lucid_json(self, *words, **how):
        return json.loads(self.lucid(*words, "--json", **how)[1])

    def view(self):
        return self.get("/v1/cluster")

    def sees(self, state="up"):
        return sorted(m["name"] for m in self.view()["members"] if m["state"] == state)

    def lease(self, role="seal"):
        return next((l for l in self.view()["leases"] if l["role"] == role and l["holder"]), None)

    def actors(self):
        return [row["path"] for row in self.get("/v1/actors")["actors"]]

    # --- recording --------------------------------------------------------------------------------------------------

    def record(self, source, *words):
        """Begins a recording; its id."""
        return self.lucid_json("record", source, "--detach", *words)["id"]

    def session(self, session):
        return self.get(f"/v1/sessions/{session}")

    def sessions(self):
        return self.lucid_json("sessions", "list")

    def wait_final(self, session, seconds=60):
        answer, took = eventually(f"{session[:8]} on {self.name} is final", seconds,
                                  lambda: (s := self.state_of(session))[0] in FINAL and s, 0.2)
        return answer[0], took

    def state_of(self, session):
        s = self.session(session)
        return s["state"], s.get("reason", "")

    def verify(self, session, codes=(0,)):
        return self.lucid("verify", session, seconds=120, codes=codes)

    # --- its link ---------------------------------------------------------------------------------------------------

    def shape(self, delay_ms=0, jitter_ms=0, loss=0.0, reorder=0.0, duplicate=0.0, only=None, seed=1):
        """Makes this node's link bad in both directions, or `only` in what comes "from" it or goes "to" it."""
        self.unshape()
        if self.cluster.has_netem:
            netem = ["netem", "delay", f"{delay_ms}ms", f"{jitter_ms}ms", "loss", f"{100 * loss}%",
                     "duplicate", f"{100 * duplicate}%"]
            if reorder:
                netem += ["reorder", f"{100 * reorder}%"]
            ends = {"to": (self.cluster.hub, self.port_name), "from": (self.space, "eth0")}
            for direction, (space, device) in ends.items():
                if only in (None, direction):
                    subprocess.run([*inside(space), "tc", "qdisc", "replace", "dev", device, "root", *netem], check=True)
            return
        plan = dict(delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss, reorder=reorder, duplicate=duplicate, seed=seed, only=only)
        ip("-n", self.cluster.hub, "link", "set", self.port_name, "nomaster")
        self.wire = subprocess.Popen([*inside(self.cluster.hub), sys.executable, HERE / "wire.py", "carry",
                                      self.port_name, f"f{self.number}", json.dumps(plan)],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        check(self.wire.stdout.readline() == b"carrying\n", f"no wire for {self.name}")

    def unshape(self):
        if self.cluster.has_netem:
            for space, device in ((self.cluster.hub, self.port_name), (self.space, "eth0")):
                subprocess.run([*inside(space), "tc", "qdisc", "del", "dev", device, "root"], stderr=subprocess.DEVNULL)
        elif self.wire:
            self.wire.stdin.close()
            self.wire.wait(10)
            self.wire.stdout.close()
            self.wire = None
            ip("-n", self.cluster.hub, "link", "set", self.port_name, "master", "bridge")


class SlowDisk:
    """A data folder on a disk of its own that writes and reads at most `bytes_per_second`. Linux with loop devices and the
    block controller of control groups, version 1 or 2."""

    MIB = 512

    def __init__(self, node, bytes_per_second):
        self.node = node
        self.image = node.folder / "disk.img"
        self.device = self.group = None
        self.mounted = False
        self.why_not = self._make(bytes_per_second)
        if self.why_not:
            self.end()

    def _make(self, bytes_per_second):
        for program in ("losetup", "mkfs.ext4", "mount"):
            if shutil.which(program) is None:
                return f"{program} is missing"
        groups = control_groups()
        version_1 = groups.name == "blkio"
        if not version_1 and not (groups / "cgroup.controllers").exists():
            return "there is no block controller of control groups"
        with open(self.image, "wb") as image:
            image.truncate(self.MIB << 20)
        if subprocess.run(["mkfs.ext4", "-q", self.image], capture_output=True).returncode:
            return "no file system can be made"
        made = subprocess.run(["losetup", "-f", "--show", self.image], capture_output=True, text=True)
        if made.returncode:
            return "no loop device: " + made.stderr.strip()
        self.device = made.stdout.strip()
        self.node.data.mkdir(exist_ok=True)
        if subprocess.run(["mount", self.device, self.node.data], capture_output=True).returncode:
            return "no file system can be mounted"
        self.mounted = True
        number = pathlib.Path(f"/sys/class/block/{pathlib.Path(self.device).name}/dev").read_text().strip()
        group = groups / f"{self.node.cluster.groups.name}{self.node.number}"
        try:
            group.mkdir()
            self.group = group
            if version_1:
                for file in ("blkio.throttle.write_bps_device", "blkio.throttle.read_bps_device"):
                    (group / file).write_text(f"{number} {bytes_per_second}")
            else:
                (groups / "cgroup.subtree_control").write_text("+io")
                (group / "io.max").write_text(f"{number} wbps={bytes_per_second} rbps={bytes_per_second}")
        except OSError as trouble:
            return f"control groups: {trouble}"
        return None

    def enter(self):
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def end(self):
        if self.mounted:
            subprocess.run(["umount", self.node.data], capture_output=True)
            self.mounted = False
        if self.device:
            subprocess.run(["losetup", "-d", self.device], capture_output=True)
            self.device = None
        if self.group:
            try:
                self.group.rmdir()
            except OSError:
                pass
            self.group = None


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
        self.groups = control_groups() / f"lucid{os.getpid()}-"
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

    def write_configs(self, by_files=True, capture=None, seal=None, replicas=None, extra=None, level="debug"):
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
            for role, names in (("capture", capture), ("seal", seal), ("replicas", replicas)):
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
                node.process.kill()
                node.process.wait()
                node.process = None
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


class LeaseWatch(threading.Thread):
    """Asks all nodes again and again who holds what. What must never be seen is in `wrongs`:

    - a number of a lease that two nodes held,
    - a node that says that it holds a lease, between two moments at which another one said so under one number,
    - a number that fell: of a lease as one node sees it during one of its lives, or from one holder to the next.
    """

    def __init__(self, cluster, pause=0.05):
        super().__init__(daemon=True)
        self.cluster, self.pause = cluster, pause
        self.wrongs = []
        self.looks = 0
        self.reigns = {}   # (role, place) -> {fence: [holder, first seen, last seen]}
        self.seen = {}     # (node, life, role, place) -> fence
        self.ending = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()

    def run(self):
        while not self.ending.wait(self.pause):
            for node in self.cluster.nodes:
                if not node.runs:
                    continue
                life = node.lives
                asked = time.monotonic()
                try:
                    leases = node.get("/v1/cluster", seconds=2)["leases"]
                except (OSError, ValueError, KeyError, http.client.HTTPException):
                    continue
                if node.lives != life:
                    continue
                for lease in leases:
                    self.note(node, life, lease, asked, time.monotonic())
                self.looks += 1

    def note(self, node, life, lease, asked, answered):
        what = (lease["role"], lease["place"])
        if lease["fence"]:
            key = (node.name, life, *what)
            before = self.seen.get(key, 0)
            if lease["fence"] < before:
                self.wrongs.append(f"{what}: as {node.name} sees it the number fell from {before} to {lease['fence']}")
            self.seen[key] = lease["fence"]
        if lease["holder_name"] != node.name:
            return
        reigns = self.reigns.setdefault(what, {})
        reign = reigns.setdefault(lease["fence"], [node.name, answered, asked])
        if reign[0] != node.name:
            self.wrongs.append(f"{what}: {reign[0]} and {node.name} both held it under number {lease['fence']}")
        reign[1] = min(reign[1], answered)
        reign[2] = max(reign[2], asked)

    def judge(self):
        """Raises what is wrong. To be called when it has ended."""
        for what, reigns in self.reigns.items():
            in_order = sorted(reigns.items())
            for (fence, (holder, _, last)), (next_fence, (next_holder, first, _)) in zip(in_order, in_order[1:]):
                # `first` is when an answer was there, `last` when one was asked for: both within the reign.
                if holder != next_holder and first < last:
                    self.wrongs.append(f"{what}: {holder} held it under {fence} {last - first:.2f} s longer than since "
                                       f"{next_holder} held it under {next_fence}")
        check(not self.wrongs, "leases: " + "; ".join(self.wrongs[:5]))
        check(self.looks > 0, "nobody was ever asked about leases")

    def text(self):
        return ", ".join(f"{role} {fence}:{reign[0]}" for (role, _), reigns in sorted(self.reigns.items())
                         for fence, reign in sorted(reigns.items()))
