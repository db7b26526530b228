"""tests/cluster/cases_chaos.py - faults by chance."""
import http.client
import random
import time

from case_steps import FINAL_SECONDS_MAX, begin, standard, told, wait_copies
from checks import check, say
from lease_watch import LeaseWatch
from node_process import FINAL


class Chaos:
    """A seeded sequence of faults, each of which ends; what becomes of it depends on the machine, too."""

    def __init__(self, cluster, seed):
        # Of its own, so that the faults of a seed do not depend on how fast recordings end.
        self.cluster, self.chance, self.recordings = cluster, random.Random(seed), random.Random(seed + 1)
        self.recorder = cluster[1]
        self.sessions = []
        self.acknowledged = {}
        self.done = []

    def look(self):
        """What the recorder's store has acknowledged so far."""
        if not self.recorder.runs:
            return
        for session in self.sessions:
            try:
                count = self.recorder.session(session)["chunk_count"]
            except (OSError, ValueError, http.client.HTTPException):
                continue
            # Of a session that an earlier run left behind less is told until it is final.
            self.acknowledged[session] = max(count, self.acknowledged.get(session, 0))

    def wait(self, low, high):
        until = time.monotonic() + self.chance.uniform(low, high)
        while time.monotonic() < until:
            self.look()
            time.sleep(0.25)

    def record(self):
        running = [s for s in self.sessions if self.recorder.state_of(s)[0] not in FINAL]
        if len(running) < 2:
            self.sessions.append(begin(self.recorder, self.recordings.choice((8, 12, 16)), self.recordings.randrange(1, 1000)))

    def step(self):
        fault = self.chance.choice((self.kill_other, self.kill_other, self.kill_holder, self.kill_recorder, self.cut_one,
                                    self.cut_apart, self.cut_one_way, self.bad_link, self.kill_two, self.kill_all,
                                    self.pause_one))
        self.done.append(fault.__name__)
        fault()

    def _kill(self, nodes, low=0.5, high=4):
        self.look()
        say("chaos: kill -9 " + ", ".join(n.name for n in nodes))
        for node in nodes:
            node.kill()
        self.wait(low, high)
        for node in nodes:
            node.start()

    def kill_other(self):
        self._kill([self.chance.choice(self.cluster.nodes[1:])])

    def kill_holder(self):
        names = [n.name for n in self.cluster.nodes[1:]]
        pick = self.chance.choice(names)  # Drawn in any case.
        lease = self.recorder.lease()
        name = lease["holder_name"] if lease and lease["holder_name"] in names else pick
        self._kill([n for n in self.cluster.nodes if n.name == name])

    def kill_recorder(self):
        self._kill([self.recorder], 0.2, 2)

    def kill_two(self):
        self._kill(self.chance.sample(self.cluster.nodes[1:], 2))

    def kill_all(self):
        self._kill(self.cluster.nodes, 0.2, 1)

    def pause_one(self):
        node = self.chance.choice(self.cluster.nodes[1:])
        say(f"chaos: {node.name} hangs")
        node.pause()
        self.wait(1, 6)
        node.resume()

    def _cut(self, text):
        say("chaos: " + text)
        self.wait(2, 7)
        self.cluster.heal()

    def cut_one(self):
        node = self.chance.choice(self.cluster.nodes)
        self.cluster.partition([node], [n for n in self.cluster.nodes if n is not node])
        self._cut(f"{node.name} alone")

    def cut_apart(self):
        nodes = list(self.cluster.nodes)
        self.chance.shuffle(nodes)
        half = len(nodes) // 2
        self.cluster.partition(nodes[:half], nodes[half:])
        self._cut(f"{[n.name for n in nodes[:half]]} | {[n.name for n in nodes[half:]]}")

    def cut_one_way(self):
        one, other = self.chance.sample(self.cluster.nodes, 2)
        self.cluster.cut(one, other, both=False)
        self._cut(f"{one.name} does not reach {other.name}")

    def bad_link(self):
        node = self.chance.choice(self.cluster.nodes)
        node.shape(delay_ms=self.chance.choice((20, 100)), jitter_ms=20, loss=self.chance.choice((0.01, 0.05)), reorder=0.02,
                   duplicate=0.01, seed=self.chance.randrange(1 << 30))
        self._cut(f"{node.name} has a bad link")


def chaos_run(options):
    seed = options.seed
    say(f"chaos: seed {seed} (--seed {seed} does the same again)")
    with standard(options.nodes, options.program, options.keep, seal=list(range(2, options.nodes + 1)),
                  extra={"replication": ['repair_after = "3 s"', 'challenge_interval = "2 s"']}) as cluster, told(cluster):
        chaos = Chaos(cluster, seed)
        until = time.monotonic() + options.seconds
        with LeaseWatch(cluster) as watch:
            while time.monotonic() < until:
                chaos.record()
                chaos.wait(0.5, 2)
                chaos.step()
            cluster.heal()
            cluster.wait_formed(40)
            finals = {}
            for session in chaos.sessions:
                finals[session], _ = chaos.recorder.wait_final(session, FINAL_SECONDS_MAX)
        watch.judge()
        say("leases: " + watch.text())
        say("faults: " + ", ".join(chaos.done))
        chaos.look()
        for session, final in finals.items():
            shown = chaos.recorder.session(session)
            acknowledged = chaos.acknowledged.get(session, 0)
            check(shown["chunk_count"] >= acknowledged, f"{session[:12]} ({final}) had {acknowledged} stored chunks: {shown}")
            if final == "failed":
                say(f"{session[:12]}: failed, nothing was stored: {shown['reason']}")
                continue
            chaos.recorder.verify(session)
            wait_copies(chaos.recorder, session)
            say(f"{session[:12]}: {final}, {shown['chunk_count']} chunks, verifies, two copies")
        check(any(final != "failed" for final in finals.values()), "all recordings failed")


CASES = [chaos_run]
