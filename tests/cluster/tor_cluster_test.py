#!/usr/bin/env python3
"""tests/cluster/tor_cluster_test.py - three nodes that know each other by onion address alone, timed as docs/mesh.md says.

A private Tor network on loopback (tests/doubles/private_tor.py), three nodes with a tor each. They form a cluster by
invitation, record, seal by lease, copy and verify; then the node that seals is killed, a tor is killed, and an onion
address is moved. At last three others, of which one is reached by TCP, one through Tor, and the first both ways. What took
how long is printed.

Ends with 0, with 1 when something is not as it should be, with 77 when it cannot be run here.
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PRIVATE_TOR = HERE.parent / "doubles" / "private_tor.py"
ROTATE = HERE.parent.parent / "scripts" / "rotate_onion_keys.sh"

FAILOVER_SECONDS_MAX = 30
TOR_NETWORK_SECONDS_MAX = 150

CONFIG = """
[node]
name = "{name}"
data_dir = "{folder}"

[console]
serve = "off"

[mesh]
listen = "127.0.0.1:{port}"
transport = "{transport}"
heartbeat_interval = "3 s"
peer_timeout = "15 s"
lease_time = "12 s"

[tor]
program = "{tor}"
extra_torrc = "{torrc}"

[placement]
capture = ["pi-1"]
seal = ["pi-2", "pi-3"]
replicas = ["pi-2", "pi-3"]

[chunk]
size_bytes = "8 MiB"
"""

# A picture that no encoder makes small: a chunk every few seconds.
SHORT = "generator:seed=7&noise=1&size=320x240&rate=10&frames=150"
LONG = "generator:seed=8&noise=1&size=320x240&rate=15&realtime=1&frames={frames}"


class Wrong(Exception):
    """Something is not as it should be."""


def say(text):
    print(f"[{time.monotonic() - BEGAN:6.1f}] {text}", flush=True)


def until(what, seconds, look, pause=0.2):
    """Looks until there is something to see; what it saw, and how long it took."""
    began = time.monotonic()
    while True:
        seen = look()
        passed = time.monotonic() - began
        if seen:
            say(f"{what}: after {passed:.1f} s")
            return seen, passed
        if passed > seconds:
            raise Wrong(f"not in {seconds} s: {what}")
        time.sleep(pause)


def free_ports(count):
    """Pairs of neighbours, since chunks are listened for one port above messages."""
    found = []
    while len(found) < count:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            if all(abs(port - other) > 1 for other in found):
                found.append(port)
    return found


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    def __init__(self, program, folder, name, port, torrc, tor, transport="tor"):
        self.program, self.name = program, name
        self.folder = folder / name
        self.folder.mkdir(mode=0o700)
        self.config = folder / f"{name}.toml"
        self.config.write_text(CONFIG.format(name=name, folder=self.folder, port=port, torrc=torrc, tor=tor, transport=transport))
        self.log = folder / f"{name}.log"
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config, "--log-level", "debug", "node"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not end: killed")
            self.kill()

    def run(self, *words, seconds=60, code=0):
        done = subprocess.run([self.program, "--config", self.config, "--log-level", "warn", *words], capture_output=True,
                              text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != code:
            raise Wrong(f"{self.name}: lucid {' '.join(words)} ended with {done.returncode}: {done.stdout} {done.stderr}")
        return done.stdout

    def ask(self, target):
        """What the control socket answers; None when it does not."""
        connection = UnixConnection(self.folder / "control.sock")
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return json.loads(answer.read()) if answer.status == 200 else None
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def cluster(self):
        return self.ask("/v1/cluster") or {"members": [], "leases": [], "self": "", "name": ""}

    def member(self, name):
        return next((one for one in self.cluster()["members"] if one["name"] == name), None)

    def up(self):
        """Names of the nodes that this one sees, itself included."""
        return {one["name"] for one in self.cluster()["members"] if one["state"] in ("up", "self")}

    def onion(self):
        mine = self.member(self.name) or {"addresses": []}
        return next((one for one in mine["addresses"] if one.startswith("tor://")), None)

    def sealer(self):
        """Who holds the lease, and its number; None when nobody does."""
        for lease in self.cluster()["leases"]:
            if lease["role"] == "seal" and lease["holder_name"] and lease["remaining_ms"] > 0:
                return lease["holder_name"], lease["fence"]
        return None

    def children(self, name):
        """Process ids of this node's own children of that name."""
        found = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                    found.append(int(pid))
        return found

    def count(self, text):
        return self.log.read_text(errors="replace").count(text)

    def sessions(self):
        return json.loads(self.run("sessions", "list", "--json"))["sessions"]

    def chunks_of(self, session):
        return len(list((self.folder / "sessions" / session).glob("*.chunk")))


class Record:
    """A recording under way."""

    def __init__(self, node, source):
        self.node = node
        shown = json.loads(node.run("record", source, "--detach", "--json"))
        self.id = shown["id"] if isinstance(shown, dict) else shown

    def state(self):
        return next((one["state"] for one in self.node.sessions() if one["id"] == self.id), None)

    def wait(self, seconds):
        until(f"recording {self.id[:8]} is complete", seconds, lambda: self.state() == "completed", 0.5)

    def verify(self):
        verdict = self.node.run("verify", self.id, seconds=120)
        say(f"recording {self.id[:8]} verifies, {self.node.chunks_of(self.id)} chunks: {verdict.strip().splitlines()[-1]}")


def copies_complete(node):
    status = node.ask("/v1/replication")
    return status if status and 0 < status["chunk_count"] == status["replicated_count"] else None


class Test:
    TRANSPORTS = ("tor", "tor", "tor")

    def __init__(self, program, folder, torrc, tor):
        ports = free_ports(3)
        self.nodes = [Node(program, folder, f"pi-{i + 1}", ports[i], torrc, tor, transport)
                      for i, transport in enumerate(self.TRANSPORTS)]
        self.numbers = {}

    def cases(self):
        return (self.form, self.record, self.fail_over, self.lose_tor, self.rotate, self.take_back)

    def named(self, name):
        return next(one for one in self.nodes if one.name == name)

    def all_up(self, seconds, what="all nodes see each other"):
        names = {one.name for one in self.nodes}
        return until(what, seconds, lambda: all(one.up() == names for one in self.nodes))[1]

    # --- cases, in order ---

    def form(self):
        first, *others = self.nodes
        first.run("keys", "init", "--no-passphrase")
        for node in self.nodes:
            node.start()
        until("all answer", 30, lambda: all(node.ask("/v1/cluster") for node in self.nodes))
        first.run("cluster", "init", "tor-home")
        until("pi-1 has an onion address", 120, first.onion)
        began = time.monotonic()
        for node in others:
            text = first.run("cluster", "invite", "--qr", "none").strip()
            if not text.startswith("lucid-join:"):
                raise Wrong(f"this is no invitation: {text}")
            joined = node.run("cluster", "join", text, seconds=180)
            say(f"{node.name}: {joined.strip().splitlines()[0]}")
        self.all_up(120)
        self.numbers["two joined over Tor and all linked"] = time.monotonic() - began
        for node in self.nodes:
            for member in node.cluster()["members"]:
                if not all(one.startswith("tor://") for one in member["addresses"]):
                    raise Wrong(f"{node.name} knows {member['name']} by {member['addresses']}")

    def record(self):
        first = self.nodes[0]
        until("the role seal is held", 60, first.sealer)
        recording = Record(first, SHORT)
        recording.wait(120)
        recording.verify()
        self.check_copies()
        return recording

    def check_copies(self):
        first = self.nodes[0]
        until("there are all copies", 150, lambda: copies_complete(first), 0.5)
        say(first.run("store", "audit", seconds=200).strip())

    def fail_over(self):
        first = self.nodes[0]
        (name, fence), _ = until("the role seal is held", 60, first.sealer)
        sealer = self.named(name)
        recording = Record(first, LONG.format(frames=900))
        until("a chunk is sealed", 150, lambda: first.chunks_of(recording.id) >= 1)
        sealer.kill()
        killed, chunks = time.monotonic(), first.chunks_of(recording.id)
        say(f"killed {name}, which sealed under lease {fence}; {chunks} chunks are stored")

        def moved():
            now = first.sealer()
            return now if now and now[0] != name else None
        (now, newer), passed = until("another node has the role", 60, moved, 0.05)
        if newer <= fence:
            raise Wrong(f"lease {newer} of {now} is not above {fence} of {name}")
        self.numbers["role moved after kill -9"] = passed
        until("another chunk is sealed", 150, lambda: first.chunks_of(recording.id) > chunks, 0.05)
        self.numbers["next chunk sealed after kill -9"] = time.monotonic() - killed
        sealer.start()
        recording.wait(200)
        recording.verify()
        self.all_up(90, f"{name} is back")
        self.check_copies()
        if passed > FAILOVER_SECONDS_MAX:
            raise Wrong(f"the role moved after {passed:.1f} s; at most {FAILOVER_SECONDS_MAX} are allowed")

    def lose_tor(self):
        node = self.nodes[1]
        tors = node.children("tor")
        if len(tors) != 1:
            raise Wrong(f"{node.name} has the tors {tors}")
        os.kill(tors[0], signal.SIGKILL)
        say(f"killed tor {tors[0]} of {node.name}")
        began = time.monotonic()
        until("a new tor is there", 60, lambda: [one for one in node.children("tor") if one != tors[0]])
        until("the cut is seen", 60, lambda: node.up() == {node.name} or len(self.nodes[0].up()) < 3, 0.1)
        self.all_up(150, "the mesh has healed")
        self.numbers["mesh whole again after its tor was killed"] = time.monotonic() - began

    def rotate(self):
        node = self.nodes[1]
        before, identity = node.onion(), node.cluster()["self"]
        began = time.monotonic()
        done = subprocess.run([ROTATE, "--yes", "--data-dir", node.folder, "--lucid", node.program], capture_output=True,
                              text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise Wrong(f"rotate_onion_keys.sh ended with {done.returncode}: {done.stdout} {done.stderr}")
        say(done.stdout.strip())
        after, _ = until("it has another address", 30, lambda: node.onion() if node.onion() != before else None)
        until("the others know it", 60,
              lambda: all((one.member(node.name) or {}).get("addresses") == [after] for one in self.nodes))
        if node.cluster()["self"] != identity:
            raise Wrong("the node's id has changed")
        self.numbers["new onion address known to all"] = time.monotonic() - began
        # Old links would hide whether the new address is any good: all are made anew.
        others = [one for one in self.nodes if one is not node]
        for one in others:
            one.end()
            one.start()
        self.all_up(150, "the mesh is back under the new address")
        recording = Record(self.nodes[0], SHORT)
        recording.wait(150)
        recording.verify()

    def take_back(self):
        """The service of a node that invites is open to whoever has its address, and to members alone again at once."""
        node = self.nodes[-1]
        opened, closed = "for everybody who knows it", " clients"
        before = node.count(opened)
        node.run("cluster", "invite", "--qr", "none")
        until("the service is open to a joiner", 15, lambda: node.count(opened) > before)
        before = node.count(closed)
        node.run("cluster", "uninvite", "all")
        _, seconds = until("it is open to members alone", 15, lambda: node.count(closed) > before)
        self.numbers["members alone again after `cluster uninvite`"] = seconds
        self.all_up(120)

    def run(self):
        for case in self.cases():
            say(f"--- {case.__name__} ---")
            case()
        for what, seconds in self.numbers.items():
            print(f"number: {what}: {seconds:.1f} s")

    def end(self):
        enders = [threading.Thread(target=node.end) for node in self.nodes]
        for one in enders:
            one.start()
        for one in enders:
            one.join()

    def show_logs(self):
        for node in self.nodes:
            lines = node.log.read_text(errors="replace").splitlines() if node.log.exists() else []
            print(f"--- {node.name}, last lines ---", *lines[-25:], sep="\n", file=sys.stderr)


class MixedTest(Test):
    """Each peer by the way that it has: pi-2 and pi-3 never meet, and still are of one cluster."""

    TRANSPORTS = ("both", "tcp", "tor")

    def cases(self):
        return (self.form_mixed, self.record)

    def form_mixed(self):
        first, plain, hidden = self.nodes
        first.run("keys", "init", "--no-passphrase")
        for node in self.nodes:
            node.start()
        until("all answer", 30, lambda: all(node.ask("/v1/cluster") for node in self.nodes))
        first.run("cluster", "init", "mixed")
        until("pi-1 has an onion address", 120, first.onion)
        for node in (plain, hidden):
            node.run("cluster", "join", first.run("cluster", "invite", "--qr", "none").strip(), seconds=180)
        until("pi-1 sees both", 120, lambda: first.up() == {"pi-1", "pi-2", "pi-3"})
        for node, scheme in ((plain, "tcp://"), (hidden, "tor://")):
            if not all(one.startswith(scheme) for one in first.member(node.name)["addresses"]):
                raise Wrong(f"pi-1 knows {node.name} by {first.member(node.name)['addresses']}")
            if node.up() != {"pi-1", node.name}:
                raise Wrong(f"{node.name} sees {node.up()}")
        if plain.children("tor"):
            raise Wrong("pi-2 has a tor, and no use for it")


def start_network(folder):
    process = subprocess.Popen([sys.executable, PRIVATE_TOR, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline() # It gives up by itself.
    if not line.startswith("ready "):
        raise Wrong("there is no private Tor network")
    say(f"private Tor network {line.strip()} s")
    return process


def end_network(process):
    if process is None:
        return
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


BEGAN = time.monotonic()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="LUCID", help="the program to be tested")
    parser.add_argument("--torrc", metavar="FILE", help="client.torrc of a private network that runs already")
    parser.add_argument("--tor", default="tor", metavar="PROGRAM", help="the tor that the nodes start (default: %(default)s)")
    parser.add_argument("--keep", metavar="DIR", help="an empty folder for all data, kept; default: a folder that goes")
    options = parser.parse_args()
    for program in ("tor", "tor-gencert"):
        if shutil.which(program) is None:
            print(f"SKIPPED: {program} is not installed (scripts/install_deps.sh test)", file=sys.stderr)
            return 77
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))

    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="lucid-tor-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    network, test = None, None
    try:
        if not options.torrc:
            network = start_network(folder / "net")
        for kind in (Test, MixedTest):
            nodes = folder / kind.__name__
            nodes.mkdir()
            test = kind(pathlib.Path(options.program).resolve(), nodes, options.torrc or folder / "net" / "client.torrc", options.tor)
            test.run()
            test.end()
        return 0
    except (Wrong, subprocess.TimeoutExpired) as wrong:
        say(f"FAILED: {wrong}")
        if test:
            test.show_logs()
        return 1
    finally:
        if test:
            test.end()
        end_network(network)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
