#!/usr/bin/env python3
"""tests/isolation/tor_only_node.py - two whole nodes that meet, record and copy over Tor: for tor_only.sh.

The second node is also named an address outside of Tor, which a node with mesh.transport "tor" must leave alone. With
--transport tcp it is dialled, which tor_only.sh has to see.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

# The other end of the cable: nobody listens there.
OUTSIDE = "tcp://10.213.77.1:7990"

CONFIG = """
[node]
name = "{name}"
data_dir = "{folder}/{name}"
[console]
serve = "off"
[mesh]
listen = "127.0.0.1:{port}"
transport = "{transport}"
heartbeat_interval = "2 s"
peer_timeout = "10 s"
lease_time = "8 s"
[tor]
extra_torrc = "{torrc}"
[replication]
copies = 1
[placement]
capture = ["pi-1"]
seal = ["pi-2"]
replicas = ["pi-2"]
"""

BY_FILES = """
[cluster]
name = "leaky"
secret_file = "{folder}/secret"
nodes = {{ pi-1 = "tcp://127.0.0.1:7800", pi-2 = "{outside}" }}
"""


class Node:
    def __init__(self, program, folder, name, port, transport, more=""):
        self.program, self.config, self.log = program, folder / f"{name}.toml", folder / f"{name}.log"
        self.config.write_text(CONFIG.format(name=name, folder=folder, port=port, transport=transport,
                                             torrc=os.environ["LUCID_TOR_EXTRA_TORRC"]) + more)
        self.process = None

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config, "node"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def run(self, *words):
        done = subprocess.run([self.program, "--config", self.config, "--log-level", "warn", *words], capture_output=True,
                              text=True, timeout=180, stdin=subprocess.DEVNULL, check=False)
        return done.stdout if done.returncode == 0 else None

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def until(what, seconds, look):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = look()
        if seen:
            print(f"tor_only_node: {what}", flush=True)
            return seen
        time.sleep(0.3)
    raise SystemExit(f"tor_only_node: not in {seconds} s: {what}")


def over_tor(first, second):
    first.run("keys", "init", "--no-passphrase")
    first.start()
    second.start()
    until("both run", 60, lambda: first.run("status") and second.run("status"))
    until("a cluster is begun", 20, lambda: first.run("cluster", "init", "tor-only"))
    text = until("pi-1 has an onion address", 120, lambda: first.run("cluster", "invite", "--qr", "none"))
    until("pi-2 has joined", 180, lambda: second.run("cluster", "join", text.strip()))
    until("a node seals", 60, lambda: '"holder_name": "pi-2"' in (first.run("cluster", "status", "--json") or ""))
    if first.run("record", "generator:seed=1&frames=60") is None:
        raise SystemExit("tor_only_node: nothing was recorded")
    until("it is copied", 90, lambda: first.run("store", "audit"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="LUCID")
    parser.add_argument("--transport", default="tor", choices=("tor", "tcp"))
    options = parser.parse_args()
    folder = pathlib.Path(os.environ["LUCID_WORK"])
    program = pathlib.Path(options.program).resolve()
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    leaky = Node(program, folder, "pi-1", 7800, options.transport, BY_FILES.format(folder=folder, outside=OUTSIDE))
    nodes = [leaky]
    try:
        # By files, with an address outside: over Tor it must not be dialled.
        leaky.start()
        until("it runs", 60, lambda: leaky.run("status"))
        time.sleep(8)
        if leaky.process.poll() is not None:
            raise SystemExit("tor_only_node: the node has ended")
        leaky.end()
        if options.transport == "tor":
            (folder / "two").mkdir()
            nodes += [Node(program, folder / "two", f"pi-{i}", 7800 + 10 * i, "tor") for i in (1, 2)]
            over_tor(*nodes[1:])
        return 0
    except SystemExit:
        for node in nodes:
            if node.log.exists():
                print(f"--- {node.config.stem} ---", *node.log.read_text(errors="replace").splitlines()[-20:], sep="\n", file=sys.stderr)
        raise
    finally:
        for node in nodes:
            node.end()


if __name__ == "__main__":
    sys.exit(main())
