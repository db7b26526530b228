"""tests/cluster/case_steps.py - the steps that cases of all suites are made of."""
import json

from checks import Wrong, check, eventually, say
from nodes import Cluster

FAILOVER_SECONDS_MAX = 3.0
CUT_OFF_SECONDS_MAX = 5.0
# Whoever is on one machine with four nodes, encoders and a compiler waits longer than the promise is.
BUSY = 2.5
FINAL_SECONDS_MAX = 90
COPIES_SECONDS_MAX = 60
CHEAP = ("--encoder", "mpeg4", "--quality", "1")

numbers = []


def note(name, value, unit):
    numbers.append((name, value, unit))
    say(f"NUMBER {name}: {value:.2f} {unit}")


def source(seconds, seed=1, rate=5):
    """Noise that fills about a chunk each five seconds, in real time."""
    return f"generator:seed={seed}&frames={int(seconds * rate)}&noise=1&size=640x480&rate={rate}&realtime=1"


def begin(node, seconds, seed=1):
    session = node.record(source(seconds, seed), *CHEAP)
    say(f"{node.name} records {session[:12]}, {seconds} s")
    return session


def wait_chunks(node, session, count, seconds=40):
    return eventually(f"{count} chunks of {session[:12]}", seconds, lambda: node.session(session)["chunk_count"] >= count)[1]


def verified(node, session, state="completed"):
    final, _ = node.wait_final(session, FINAL_SECONDS_MAX)
    shown = node.session(session)
    check(final == state, f"{session[:12]} ended as {final} ({shown['reason']}), not {state}\n{node.tail()}")
    check(shown["chunk_count"] > 0, f"{session[:12]} has no chunk")
    node.verify(session)
    say(f"{session[:12]}: {final}, {shown['chunk_count']} chunks, verifies")
    return shown


def audited(node, session):
    """How many good copies a chunk has on average, by `lucid store audit`: holders read and hash each."""
    code, out, complaint = node.lucid("store", "audit", session, "--json", codes=None, seconds=120)
    check(code in (0, 1, 4, 8) and out, f"store audit ended with {code}: {complaint}")
    recording = json.loads(out)["recordings"][0]
    check(all(c["damaged"] == 0 for c in recording["copies"]), f"a copy is damaged: {recording}")
    return sum(c["verified"] for c in recording["copies"]) / recording["chunk_count"]


def all_copied(node):
    told = node.get("/v1/replication")
    return told["replicated_count"] == told["chunk_count"] > 0


def wait_copies(node, session, count=2):
    """Each chunk has its copies, perhaps not all at the same nodes: the node says so, and by its holders it is true."""
    try:
        return eventually(f"{count} copies of each chunk of {session[:12]}", COPIES_SECONDS_MAX,
                          lambda: (count < 2 or all_copied(node)) and audited(node, session) >= count, 0.5)[1]
    except Wrong:
        say(f"the node's own word: {node.get('/v1/replication')}")
        say(f"the audit's: {node.lucid('store', 'audit', session, codes=None)[1]}")
        say("the actors': " + "; ".join(f"{r['path']}: {r['state']}" for r in node.get("/v1/actors")["actors"]
                                        if "copies" in r["path"] or "blobs" in r["path"]))
        raise


def standard(count, program, keep, **how):
    cluster = Cluster(program, count, keep)
    how.setdefault("capture", [1])
    how.setdefault("seal", [2, 3])
    how.setdefault("replicas", list(range(2, count + 1)))
    how.setdefault("extra", {"replication": ['repair_after = "3 s"', 'challenge_interval = "5 s"']})
    cluster.write_configs(**how)
    cluster.make_keys()
    cluster.start()
    say(f"{count} nodes formed a cluster by files in {cluster.wait_formed(30):.2f} s")
    return cluster


class told:
    """Shows the logs of a cluster in which something went wrong."""

    def __init__(self, cluster):
        self.cluster = cluster

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and issubclass(kind, Exception):
            self.cluster.show_logs()


def moved(cluster, since, among, above):
    """Who took the role after `since` under a number above `above`, and when, by its own log: no asking disturbs the time."""
    def ask():
        taken = []
        for node in among:
            found = node.logged(r"this node has the role seal \(lease (\d+)\)", since)
            if found and int(found[0][1]) > above:
                taken.append((found[1], node, int(found[0][1])))
        return min(taken, key=lambda one: one[0]) if taken else None
    (took, node, fence), _ = eventually("another node takes the role", 30, ask, 0.05)
    return node, fence, took


def sent_to(recorder, since, above):
    """When the recorder knew of a holder with a number above `above`."""
    def ask():
        found = recorder.logged(r"sealing is done by (\S+) \(lease (\d+)\)", since)
        return found if found and int(found[0][2]) > above else None
    return eventually("the recorder knows the heir", 30, ask, 0.05)[0][1]


def stop_and_verify(recorder, session):
    """Ended by request: all that the source made until then is in it."""
    recorder.lucid("sessions", "stop", session)
    shown = verified(recorder, session)
    check(shown["gap_count"] == 0, "there is a gap, although the source repeats")
    check(shown["frame_count"] > 0, "there is no frame")
    return shown
