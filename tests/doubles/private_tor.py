#!/usr/bin/env python3
"""tests/doubles/private_tor.py - a Tor network of the test's own: directory authorities and relays on one address.

What it is true to: it is Debian's tor, with TestingTorNetwork; consensus, circuits of three hops, version 3 onion
services with client authorisation. What it is not: votes every few seconds, no bandwidth limits, no exits, all relays in
one subnet, and each relay may be guard, middle and directory of onion services at once.

It prints one line, "ready SECONDS", once an own client of it could build circuits (or with --no-probe, once there is a
consensus), and ends all its processes, and only those, when its standard input closes, at SIGTERM, SIGINT or SIGHUP, or
when it is killed itself.

FOLDER/client.torrc   what a client needs; for tor.extra_torrc
FOLDER/ports          all ports of authorities and relays, one a line
FOLDER/pids           name and process id of each tor, one a line
"""
import argparse
import ctypes
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

BOOTSTRAP_SECONDS_MAX = 120
FIRST_VOTING_SECONDS = 5  # The least that tor takes.
REMINDER_SECONDS = 1.5
PR_SET_PDEATHSIG = 1

# Votes: as fast as tor allows at first; then slow enough for a machine that is busy with tests. Descriptors of onion
# services move every 24 voting intervals.
COMMON = """
TestingTorNetwork 1
ShutdownWaitLength 0
SafeLogging 0
ProtocolWarnings 1
AvoidDiskWrites 1
Log notice file {folder}/tor.log
DataDirectory {folder}
Nickname {name}
Address {address}
SocksPort 0
OrPort {address}:{or_port} IPv4Only
AssumeReachable 1
ExitPolicy reject *:*
PathsNeededToBuildCircuits 0.25
CircuitBuildTimeout 10
LearnCircuitBuildTimeout 0
__OwningControllerProcess {owner}
"""

AUTHORITY = """
DirPort {address}:{dir_port}
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@example.org
TestingV3AuthInitialVotingInterval {first_voting}
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval {voting}
V3AuthVoteDelay 2
V3AuthDistDelay 2
V3AuthNIntervalsValid 6
V3BandwidthsFile {bandwidths}
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard {guards}
TestingDirAuthVoteGuardIsStrict 1
TestingMinExitFlagThreshold 0
MinUptimeHidServDirectoryV2 0 seconds
"""

# A first circuit through relays that have just come up may hang; tor gives it a minute.
CLIENT = """TestingTorNetwork 1
PathsNeededToBuildCircuits 0.25
CircuitBuildTimeout 10
LearnCircuitBuildTimeout 0
{authorities}
"""


def die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def fail(text):
    print("private_tor: " + text, file=sys.stderr)
    raise SystemExit(1)


def free_ports(address, count):
    """Ports that are free now; all are held until all are known, so that none comes twice."""
    held = []
    for _ in range(count):
        one = socket.socket()
        one.bind((address, 0))
        held.append(one)
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Member:
    """One authority or relay."""

    def __init__(self, network, name, or_port, dir_port=None):
        self.network, self.name, self.or_port, self.dir_port = network, name, or_port, dir_port
        self.folder = network.folder / name
        (self.folder / "keys").mkdir(parents=True, mode=0o700)
        self.folder.chmod(0o700)
        (self.folder / "keys").chmod(0o700)
        self.process = None

    def begin_certificate(self):
        keys = self.folder / "keys"
        words = ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12",
                 "-a", f"{self.network.address}:{self.dir_port}", "-i", keys / "authority_identity_key",
                 "-s", keys / "authority_signing_key", "-c", keys / "authority_certificate"]
        self.certifier = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        # Keys of an hour; what protects them is of no matter, but it asks for a passphrase.
        self.certifier.stdin.write(b"private\n")
        self.certifier.stdin.close()
        self.certifier.stdin = None

    def line(self):
        """This authority as a line of everybody's torrc."""
        _, complaint = self.certifier.communicate(timeout=60)
        if self.certifier.returncode:
            fail("tor-gencert failed: " + complaint.decode(errors="replace").strip())
        certificate = (self.folder / "keys" / "authority_certificate").read_text()
        identity = re.search(r"^fingerprint ([0-9A-F]{40})$", certificate, re.M).group(1)
        return (f"DirAuthority {self.name} orport={self.or_port} no-v2 v3ident={identity} "
                f"{self.network.address}:{self.dir_port} {self.fingerprint}")

    def begin_identity(self):
        words = [self.network.tor, "--quiet", "--list-fingerprint", "--orport", "1", "--datadirectory", self.folder,
                 "--dirauthority", "none 127.0.0.1:1 " + "f" * 40, "--nickname", self.name, "-f", self.folder / "torrc",
                 "--ignore-missing-torrc", "--defaults-torrc", self.folder / "no-defaults"]
        self.teller = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, preexec_fn=die_with_parent)

    def finish_identity(self):
        told, _ = self.teller.communicate(timeout=60)
        found = re.search(r"((?:[0-9A-F]{4} ?){10})\s*$", told)
        if not found:
            fail("tor tells no fingerprint: " + told.strip())
        self.fingerprint = found.group(1).replace(" ", "")

    def start(self):
        values = dict(folder=self.folder, name=self.name, address=self.network.address, or_port=self.or_port,
                      dir_port=self.dir_port, owner=os.getpid(), voting=self.network.voting,
                      first_voting=FIRST_VOTING_SECONDS, bandwidths=self.network.folder / "bandwidths",
                      guards=",".join("$" + one.fingerprint for one in self.network.authorities))
        text = COMMON.format(**values) + (AUTHORITY.format(**values) if self.dir_port else "")
        (self.folder / "torrc").write_text(text + "\n".join(self.network.authority_lines) + "\n")
        self.process = self.network.spawn(self.folder, self.name)


    def count(self, prefix, *names):
        files = [self.folder / name for name in names]
        return sum(line.startswith(prefix) for file in files if file.exists()
                   for line in file.read_text(errors="replace").splitlines())

    def knows(self, count):
        return (self.count("r ", "cached-microdesc-consensus") >= count
                and self.count("onion-key", "cached-microdescs", "cached-microdescs.new") >= count)


class Network:
    def __init__(self, options):
        self.folder = pathlib.Path(options.folder).resolve()
        self.address, self.tor, self.voting = options.address, options.tor, options.voting
        if shutil.which(self.tor) is None or shutil.which("tor-gencert") is None:
            fail("tor and tor-gencert are needed: scripts/install_deps.sh test")
        if self.folder.exists() and any(self.folder.iterdir()):
            fail(f"{self.folder} is not empty")
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = free_ports(self.address, 2 * options.authorities + options.relays)
        self.authorities = [Member(self, f"authority{i}", ports.pop(), ports.pop()) for i in range(options.authorities)]
        self.relays = [Member(self, f"relay{i}", ports.pop()) for i in range(options.relays)]
        self.authority_lines = []
        self.processes = []
        self.reminded = 0.0

    def spawn(self, folder, name):
        with open(folder / "stdout", "wb") as out:
            process = subprocess.Popen([self.tor, "-f", folder / "torrc", "--defaults-torrc", folder / "no-defaults"],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       preexec_fn=die_with_parent)
        self.processes.append((name, process))
        return process

    def start(self):
        everybody = self.authorities + self.relays
        for one in everybody:
            one.begin_identity()
        for one in self.authorities:
            one.begin_certificate()
        for one in everybody:
            one.finish_identity()
        # The last hop of a circuit is chosen by bandwidth among stable relays, and in a new network one relay may be all
        # of them. A client that had it as guard would never get a circuit: guards are the authorities, which no
        # bandwidth is ever stated for.
        (self.folder / "bandwidths").write_text(
            f"{int(time.time())}\n" + "".join(f"node_id=${one.fingerprint} bw=1000 nick={one.name}\n" for one in everybody))
        self.authority_lines = [one.line() for one in self.authorities]
        (self.folder / "client.torrc").write_text(CLIENT.format(authorities="\n".join(self.authority_lines)))
        ports = [port for one in everybody for port in (one.or_port, one.dir_port) if port]
        (self.folder / "ports").write_text("".join(f"{port}\n" for port in ports))
        # Votes of the first consensus are cast two seconds before a multiple of five. Whoever misses it waits for a
        # regular one, so everybody starts in the second behind a vote, and has four to be known to all authorities.
        time.sleep(-(time.time() - 4.05) % FIRST_VOTING_SECONDS)
        for one in everybody:
            one.start()
        (self.folder / "pids").write_text("".join(f"{name} {process.pid}\n" for name, process in self.processes))

    def check(self):
        for name, process in self.processes:
            if process.poll() is not None:
                lines = (self.folder / name / "stdout").read_text(errors="replace").strip().splitlines()[-5:]
                fail(f"{name} ended with {process.returncode}: " + " / ".join(lines))

    def start_probe(self):
        folder = self.folder / "probe"
        folder.mkdir(mode=0o700)
        (folder / "torrc").write_text(f"DataDirectory {folder}\nSocksPort 0\nClientOnly 1\nLog notice file {folder}/tor.log\n"
                                      f"__OwningControllerProcess {os.getpid()}\n%include {self.folder}/client.torrc\n")
        self.spawn(folder, "probe")

    def probe_percent(self):
        log = self.folder / "probe" / "tor.log"
        told = re.findall(r"Bootstrapped (\d+)%", log.read_text(errors="replace")) if log.exists() else []
        return int(told[-1]) if told else 0

    def is_complete(self):
        """Everybody knows everybody: no client that comes now has to ask a second time, which tor does late."""
        everybody = self.authorities + self.relays
        ignorant = [one for one in everybody if not one.knows(len(everybody))]
        # Who asked before there was an answer asks again ever later; a reload makes it ask at once.
        if self.authorities[0] not in ignorant and time.monotonic() - self.reminded > REMINDER_SECONDS:
            self.reminded = time.monotonic()
            for one in ignorant:
                one.process.send_signal(signal.SIGHUP)
        return not ignorant

    def end(self):
        for _, process in self.processes:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + 3
        for _, process in self.processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def closed_or_wait(seconds):
    """Waits; True when nobody holds the other end of our standard input any more."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and os.read(0, 4096) == b""


def run(options):
    began = time.monotonic()
    network = Network(options)
    try:
        network.start()
        wants_probe = options.probe
        probing = False
        while True:
            if time.monotonic() - began > BOOTSTRAP_SECONDS_MAX:
                fail(f"no network after {BOOTSTRAP_SECONDS_MAX} s; logs are in {network.folder}")
            network.check()
            if not probing and network.is_complete():
                if not wants_probe:
                    break
                network.start_probe()
                probing = True
            if probing and network.probe_percent() == 100:
                name, process = network.processes.pop()
                process.terminate()
                process.wait()
                break
            if closed_or_wait(0.1):
                return
        print(f"ready {time.monotonic() - began:.1f}", flush=True)
        while not closed_or_wait(3600):
            pass
    finally:
        network.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", help="an empty folder, or one to be made")
    parser.add_argument("--address", default="127.0.0.1", help="what authorities and relays listen on")
    parser.add_argument("--authorities", type=int, default=3, choices=range(1, 8), metavar="N")
    parser.add_argument("--relays", type=int, default=4, choices=range(1, 33), metavar="N")
    parser.add_argument("--voting", type=int, default=10, metavar="SECONDS", help="between two consensuses, later on")
    parser.add_argument("--tor", default="tor", metavar="PROGRAM")
    parser.add_argument("--no-probe", dest="probe", action="store_false", help="do not wait for a client of its own")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    run(options)


if __name__ == "__main__":
    main()
