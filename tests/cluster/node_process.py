"""tests/cluster/node_process.py - one node of Lucid: a process in a network namespace of its own, and what it is asked."""
import calendar
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from checks import Wrong, check, eventually
from namespaces import die_with_parent, inside, ip

HERE = pathlib.Path(__file__).resolve().parent
LOG_LINES_SHOWN = 25
ANSWER_SECONDS = 5
FINAL = ("completed", "interrupted", "failed")


def faketime_library():
    """For programs with threads; None without it."""
    return next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def forget_faketime(process):
    """What the library shares with a program's children, and a killed program leaves."""
    for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
        pathlib.Path("/dev/shm", name).unlink(missing_ok=True)


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
        self.skew_seconds = 0

    # --- process ----------------------------------------------------------------------------------------------------

    def start(self, wait=True):
        check(self.process is None, f"{self.name} runs already")
        with open(self.log, "ab") as log:
            log.write(f"--- start {self.lives + 1}\n".encode())
            log.flush()
            command = [*inside(self.space), self.cluster.program, "--config", self.config, "node"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=self._before_exec, env=self._environment())
        self.lives += 1
        if wait:
            self.wait_ready()

    def skew(self, seconds):
        """From the next start on its wall clock is so far ahead; the monotonic one is the machine's."""
        self.skew_seconds = seconds

    def _environment(self):
        if not self.skew_seconds:
            return None
        return {**os.environ, "LD_PRELOAD": str(faketime_library()), "FAKETIME": f"{self.skew_seconds:+d}",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

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
        forget_faketime(self.process.pid)
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
        """The first line since then (seconds since 1970, right time) that has it: (match, seconds after `since`), or None."""
        for line in self.log.read_text(errors="replace").splitlines():
            found = re.search(pattern, line)
            if not found or len(line) < 24 or line[23] != "Z":
                continue
            at = calendar.timegm(time.strptime(line[:19], "%Y-%m-%dT%H:%M:%S")) + float(line[19:23]) - self.skew_seconds
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

    def lucid(self, *words, seconds=60, codes=(0,)):
        """The command line on this node: (exit code, standard output, standard error)."""
        command = [self.cluster.program, "--config", self.config, *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                              preexec_fn=die_with_parent, env=self._environment())
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
