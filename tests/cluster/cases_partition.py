"""tests/cluster/cases_partition.py - links are cut, in one direction or both, or are bad; disks are slow."""
import time

from case_steps import CHEAP, begin, moved, note, standard, stop_and_verify, told, verified, wait_chunks, wait_copies
from checks import check, eventually, say
from lease_watch import LeaseWatch
from nodes import Cluster
from slow_disk import SlowDisk


def is_cut_from_the_lease(node):
    lease = node.lease()
    return not lease or lease["holder_name"] != node.name


def minority_holder(options):
    """The node that seals is alone on its side; then the recorder is; then nobody has a majority."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            wait_chunks(recorder, session, 1)
            sealer, lease, _ = cluster.holder()
            others = [n for n in cluster.nodes if n is not sealer]
            began = time.time()
            cluster.partition([sealer], others)
            cut = time.time()
            (_, gave_up), _ = eventually(f"{sealer.name} gives the role up", 15,
                                         lambda: sealer.logged(r"the role seal no more", began), 0.05)
            check(is_cut_from_the_lease(sealer), "it says that it gave the role up, and shows that it holds it")
            _, _, took = moved(cluster, began, others, lease["fence"])
            check(took >= gave_up, f"another node had the role {gave_up - took:.2f} s before {sealer.name} gave it up")
            note("partition.give_up_s", gave_up - (cut - began), "s, cut until the holder in the minority has given the role up")
            note("partition.role_s", took - (cut - began), "s, cut until a node of the majority holds the role")
            count = recorder.session(session)["chunk_count"]
            wait_chunks(recorder, session, count + 1)
            cluster.heal()
            cluster.wait_formed(30)
            # The recorder alone: nobody seals for it, nothing is lost.
            cluster.partition([recorder], [n for n in cluster.nodes if n is not recorder])
            time.sleep(8)
            count = recorder.session(session)["chunk_count"]
            cluster.heal()
            healed = time.monotonic()
            cluster.wait_formed(30)
            wait_chunks(recorder, session, count + 1)
            note("partition.heal_s", time.monotonic() - healed, "s, heal until the recorder has a further chunk stored")
            # Everybody alone.
            cluster.partition(*[[n] for n in cluster.nodes])
            eventually("nobody holds the role", 15, lambda: all(is_cut_from_the_lease(n) for n in cluster.nodes))
            cluster.heal()
            stop_and_verify(recorder, session)
            wait_copies(recorder, session)
        watch.judge()
        say("leases: " + watch.text())


def one_way(options):
    """What the sealer sends arrives nowhere, but it hears all; then the other way round."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            for mute in (True, False):
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                sealer, lease, _ = cluster.holder()
                others = [n for n in cluster.nodes if n is not sealer]
                for other in others:
                    cluster.cut(sealer if mute else other, other if mute else sealer, both=False)
                cut = time.time()
                _, _, took = moved(cluster, cut, others, lease["fence"])
                note(f"one_way.role_s.{'mute' if mute else 'deaf'}", took, "s, one-way cut until another holds the role")
                cluster.heal()
                cluster.wait_formed(30)
            stop_and_verify(recorder, session)
            wait_copies(recorder, session)
        watch.judge()


def bad_links(options):
    """100 ms and 5 % loss in each direction, over which TCP carries some 40 KB/s: a small recording. Then no loss, but more
    bytes, some frames twice and some out of order. Leases are longer, as one would have them on such links."""
    with standard(3, options.program, options.keep,
                  extra={"mesh": ['lease_time = "6 s"', 'peer_timeout = "6 s"']}) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            for node in cluster.nodes[1:]:
                node.shape(delay_ms=50, jitter_ms=5, loss=0.05, seed=options.seed + node.number)
            session = recorder.record("generator:frames=100&size=320x240&rate=10&realtime=1", *CHEAP)
            _, took = recorder.wait_final(session, 60)
            note("bad_links.loss_s", took, "s, 10 s of recording, 100 ms and 5 % loss to all others: until it is final")
            verified(recorder, session)
            for node in cluster.nodes[1:]:
                node.shape(delay_ms=50, duplicate=0.01, reorder=0.001, seed=options.seed + node.number)
            session = begin(recorder, 8)
            _, took = recorder.wait_final(session, 120)
            note("bad_links.reordered_s", took, "s, 8 s (15 MB) over 100 ms, frames twice and out of order: until it is final")
            cluster.heal()
            verified(recorder, session)
            wait_copies(recorder, session)
        watch.judge()
        say("leases: " + watch.text())


def slow_disk(options):
    """The preferred sealer and holder of copies has a disk that writes 1 MiB a second."""
    cluster = Cluster(options.program, 3, options.keep)
    with cluster, told(cluster):
        cluster.write_configs(capture=[1], seal=[2, 3], replicas=[2, 3])
        disk = SlowDisk(cluster[2], 1 << 20)
        if disk.why_not:
            say(f"SKIPPED: slow disk: {disk.why_not}")
            return
        cluster[2].slow = disk
        cluster.make_keys()
        cluster.start()
        cluster.wait_formed(40)
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 8)
            verified(recorder, session)
            wait_copies(recorder, session)
        watch.judge()
        say("leases: " + watch.text())


CASES = [minority_holder, one_way, bad_links, slow_disk]
