"""tests/cluster/cases_restart.py - nodes are killed and come back, and change while they record."""
import time

from case_steps import BUSY, begin, moved, note, standard, stop_and_verify, told, verified, wait_chunks, wait_copies
from checks import check
from lease_watch import LeaseWatch


def kill_the_recorder(options):
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 60)
            wait_chunks(recorder, session, 2)
            acknowledged = recorder.session(session)["chunk_count"]
            started = recorder.session(session)["started_us"] / 1e6
            recorder.kill()
            killed = time.time()
            time.sleep(1)
            recorder.start()
            shown = verified(recorder, session, "interrupted")
            check(shown["chunk_count"] >= acknowledged, "a stored chunk is lost")
            # What is older than journal.sync_interval (1 s) and a fragment (0.5 s) is on disk; the rest is a busy machine.
            lost = killed - started - (shown["ended_us"] - shown["started_us"]) / 1e6
            note("kill.lost_s", lost, "s of recording lost by kill -9 of the recorder; at most 1.5 s are not on disk yet")
            check(lost < 1.5 * BUSY, f"{lost:.1f} s before the kill are lost")
            wait_copies(recorder, session)
        watch.judge()


def kill_everybody(options):
    """As when the power of the house fails."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 60)
            wait_chunks(recorder, session, 2)
            acknowledged = recorder.session(session)["chunk_count"]
            _, lease, _ = cluster.holder()
            for node in cluster.nodes:
                node.kill()
            time.sleep(0.5)
            began = time.monotonic()
            cluster.start()
            cluster.wait_formed(30)
            _, new, _ = cluster.holder(20)
            note("power.role_s", time.monotonic() - began, "s, all nodes started after kill -9 of all, until one holds the role")
            check(new["fence"] > lease["fence"], f"the number was {lease['fence']}, and is {new['fence']} after the restart")
            shown = verified(recorder, session, "interrupted")
            check(shown["chunk_count"] >= acknowledged, "a stored chunk is lost")
            wait_copies(recorder, session)
        watch.judge()


def change_while_recording(options):
    """The node that seals gets a new key, then it is removed."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            wait_chunks(recorder, session, 1)
            sealer, _, _ = cluster.holder()
            sealer.lucid("keys", "rotate")
            cluster.wait_formed(20)
            wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
            sealer, lease, _ = cluster.holder()
            other = next(n for n in cluster.nodes[1:] if n is not sealer)
            removed = time.time()
            recorder.lucid("cluster", "remove", sealer.name, "--yes")
            _, _, took = moved(cluster, removed, [other], lease["fence"])
            note("remove.role_s", took, "s, removal of the node that seals until another holds the role")
            check(sealer.name not in recorder.sees(), f"{sealer.name} is removed, and up")
            wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
            stop_and_verify(recorder, session)
            wait_copies(recorder, session, 1)  # There is one node left to hold them.
        watch.judge()


CASES = [kill_the_recorder, kill_everybody, change_while_recording]
