"""tests/cluster/cases_clocks.py - nodes whose wall clocks are wrong: one an hour ahead, one a day behind."""
import time

from case_steps import begin, moved, note, stop_and_verify, told, verified, wait_chunks, wait_copies
from cases_form import invite, refused
from checks import check, say, skip
from lease_watch import LeaseWatch
from node_process import faketime_library
from nodes import Cluster

HOUR = 3600
DAY = 24 * HOUR


def skewed(options, count):
    """pi-2 is an hour ahead, pi-3 a day behind."""
    if faketime_library() is None:
        skip("libfaketime is missing (scripts/install_deps.sh test)")
    cluster = Cluster(options.program, count, options.keep)
    cluster[2].skew(HOUR)
    cluster[3].skew(-DAY)
    return cluster


def check_skewed(cluster):
    """Else this would show nothing."""
    for node in cluster.nodes:
        _, seconds = node.logged("", 0)
        off = abs(seconds - time.time())
        check(off < 600, f"{node.name} writes another time than one that is {node.skew_seconds} s off: {off:.0f} s")
    say("clocks are off by " + ", ".join(f"{n.name} {n.skew_seconds} s" for n in cluster.nodes))


def wrong_clocks_by_files(options):
    with skewed(options, 3) as cluster, told(cluster):
        cluster.write_configs(seal=[2, 3], extra={"replication": ['repair_after = "3 s"', 'challenge_interval = "5 s"']})
        cluster.make_keys()
        cluster.start()
        cluster.wait_formed(30)
        check_skewed(cluster)
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            for _ in range(2):  # Each of the two clocks takes over from the other.
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                sealer, lease, _ = cluster.holder(among=cluster.nodes[1:])
                killed = time.time()
                sealer.kill()
                heir, _, took = moved(cluster, killed, [n for n in cluster.nodes[1:] if n is not sealer], lease["fence"])
                note(f"clocks.role_s.{heir.name}", took, f"s, kill -9 of {sealer.name} until {heir.name} holds the lease")
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                sealer.start()
                cluster.wait_formed(30)
            stop_and_verify(recorder, session)
            wait_copies(recorder, session)
            for node in cluster.nodes[1:]:
                session = begin(node, 6, node.number)
                verified(node, session)
                wait_copies(node, session)
        watch.judge()
        say("leases: " + watch.text())


def wrong_clocks_by_invitation(options):
    with skewed(options, 4) as cluster, told(cluster):
        cluster.write_configs(by_files=False, seal=[1, 2, 3])
        cluster.make_keys()
        cluster.start()
        check_skewed(cluster)
        one, two, three, four = cluster.nodes
        one.lucid("cluster", "init", "home")
        two.lucid("cluster", "join", invite(one))    # Over, by the clock of the one that joins.
        three.lucid("cluster", "join", invite(two))  # Of tomorrow, by the clock of the one that joins.
        cluster.wait_formed(20, [one, two, three])
        short, until = invite(three, "--valid", "10 s"), time.monotonic() + 11
        time.sleep(max(0.0, until - time.monotonic()))
        refused(four, short, "does not let this node's key in")
        four.lucid("cluster", "join", invite(three))  # Of yesterday.
        cluster.wait_formed(20)
        for node in cluster.nodes:
            session = begin(node, 6, node.number)
            verified(node, session)
            wait_copies(node, session)
        one.lucid("cluster", "remove", four.name, "--yes")
        two.lucid("keys", "rotate")
        time.sleep(0.5)
        cluster.wait_formed(20, [one, two, three])
        check("pi-4" not in one.sees() + two.sees() + three.sees(), "a removed node is seen")


CASES = [wrong_clocks_by_files, wrong_clocks_by_invitation]
