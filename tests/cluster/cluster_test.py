#!/usr/bin/env python3
"""tests/cluster/cluster_test.py - a real cluster is formed, records, is killed, cut apart and healed.

    cluster_test.py PROGRAM form|failover|restart|partition|chaos [--case NAME] [--seed N] [--seconds N] [--nodes N]

What must hold at the end of whatever happened: each recording that is final verifies on its recorder; each chunk that the
recorder's store has acknowledged is there; no number of a lease fell, and no two nodes held one at one time.
Ends with 77 where there are no network namespaces.
"""
import argparse
import base64
import http.client
import json
import pathlib
import random
import re
import signal
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
from nodes import FINAL, Cluster, LeaseWatch, SlowDisk, Wrong, check, eventually, require_namespaces, say, skip  # noqa: E402

FAILOVER_SECONDS_MAX = 3.0
CUT_OFF_SECONDS_MAX = 5.0
# Whoever is on one machine with four nodes, encoders and a compiler waits longer than the promise is.
BUSY = 2.5
FINAL_SECONDS_MAX = 90
COPIES_SECONDS_MAX = 60

numbers = []


def note(name, value, unit):
    numbers.append((name, value, unit))
    say(f"NUMBER {name}: {value:.2f} {unit}")


def source(seconds, seed=1, rate=5):
    """Noise that fills about a chunk each five seconds, in real time."""
    return f"generator:seed={seed}&frames={int(seconds * rate)}&noise=1&size=640x480&rate={rate}&realtime=1"


CHEAP = ("--encoder", "mpeg4", "--quality", "1")


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
    check(code in (0, 4, 8) and out, f"store audit ended with {code}: {complaint}")
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


# --- form -----------------------------------------------------------------------------------------------------------


def form_by_files(options):
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        node, lease, _ = cluster.holder()
        check(node.name in ("pi-2", "pi-3"), f"{node.name} may not seal")
        session = begin(cluster[1], 8)
        verified(cluster[1], session)
        wait_copies(cluster[1], session, 2)
        check("sealing is done by " in cluster[1].log.read_text(), "pi-1 never had another node seal")
        seen = set(cluster[1].actors())
        for other in ("pi-2", "pi-3"):
            for path in ("storage/store", "mesh/links", "copies/replicas"):
                check(f"nodes/{other}/{path}" in seen, f"pi-1 does not show nodes/{other}/{path}")
        sealing = next(r for r in cluster[1].get("/v1/actors")["actors"] if r["path"] == f"nodes/{node.name}/sealing")
        check(int(sealing["state"]["sealed"]) > 0, f"as pi-1 sees it, {node.name} has sealed nothing: {sealing['state']}")
        for one in cluster.nodes:
            one.stop()


def forged(invitation):
    """Another token, and a check sum that is right for it."""
    import independent_verify as reference
    head, _, text = invitation.partition(":")
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[97] ^= 0x5A  # The first byte of the token: version, three ids, token.
    raw[-4:] = reference.derive("lucid v1 invitation check", bytes(raw[:-4]))[:4]
    return head + ":" + base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()


def refused(node, invitation, *words):
    code, out, complaint = node.lucid("cluster", "join", invitation, codes=None, seconds=90)
    check(code not in (0, 1) and not node.view()["name"],
          f"{node.name} joined, or failed without a reason ({code}): {out}{complaint}")
    text = (out + complaint).lower()
    check(any(w in text for w in words), f"the refusal says none of {words}: {out}{complaint}")
    say(f"refused with {code}: {complaint.strip().splitlines()[-1]}")


def invite(node, *words):
    out = node.lucid("cluster", "invite", "--qr", "none", *words)[1]
    return re.search(r"lucid-join:[A-Za-z0-9_-]+", out).group(0)


def form_by_invitation(options):
    with Cluster(options.program, 4, options.keep) as cluster, told(cluster):
        cluster.write_configs(by_files=False, seal=[1, 2])
        cluster.make_keys()
        cluster.start()
        one, two, three, four = cluster.nodes
        one.lucid("cluster", "init", "home")
        short = invite(one, "--valid", "1 min")
        short_until = time.monotonic() + 61
        first = invite(one)
        began = time.monotonic()
        two.lucid("cluster", "join", first)
        cluster.wait_formed(20, [one, two])
        note("form.join_s", time.monotonic() - began, "s, from `cluster join` until both see each other")
        refused(three, first, "another node has joined")
        second = invite(two)
        damaged = second[:40] + ("A" if second[40] != "A" else "B") + second[41:]
        refused(three, damaged, "check sum", "mistyped")
        refused(three, forged(second), "not", "refused", "valid", "could not")
        three.lucid("cluster", "join", second)
        cluster.wait_formed(20, [one, two, three])
        check(len({n.view()["cluster_id"] for n in (one, two, three)}) == 1, "members of one cluster have different ids for it")
        rotate_keys(cluster, two, [one, two, three])
        void = invite(three)
        remove_member(cluster, three, one, two)
        refused(four, void, "not", "refused", "valid", "could not", "timeout")
        time.sleep(max(0.0, short_until - time.monotonic()))
        refused(four, short, "expired", "not, or no longer, valid")
        # By a new invitation a removed node may come back.
        three.lucid("cluster", "join", invite(two))
        cluster.wait_formed(20, [one, two, three])


def rotate_keys(cluster, node, members):
    before = node.view()["self"]
    key = node.lucid("keys", "list", "--json")[1]
    file = next(node.data.rglob("transport.key"))
    old = file.read_bytes()
    began = time.monotonic()
    node.lucid("keys", "rotate")
    check(file.read_bytes() != old, "the transport key is the old one")
    check(key, "no keys are listed")
    # Down and up again, or never down: the links that are there at the end are of the new key.
    time.sleep(0.5)
    cluster.wait_formed(20, members)
    note("form.rotate_s", time.monotonic() - began, "s, until all links are up after `keys rotate`")
    check(node.view()["self"] == before, "the node id changed with the transport key")
    old_life = node.view()["self"]
    node.stop()
    node.start()
    cluster.wait_formed(20, members)
    check(node.view()["self"] == old_life, "the node id changed with a restart")


def remove_member(cluster, gone, by, other):
    began = time.monotonic()
    by.lucid("cluster", "remove", gone.name, "--yes")

    def cut_off():
        return gone.name not in by.sees() + other.sees() and not {by.name, other.name} & set(gone.sees())
    eventually(f"{gone.name} is cut off", 20, cut_off, 0.02)
    took = time.monotonic() - began
    note("form.cut_off_s", took, "s, from `cluster remove` until nobody sees the removed node, nor it them")
    check(took < CUT_OFF_SECONDS_MAX, f"cutting off took {took:.1f} s")
    eventually(f"{gone.name} knows that it was removed", 5, lambda: not gone.view()["name"])
    gone.stop()
    gone.start()
    time.sleep(4)
    check(gone.name not in by.sees() + other.sees(), "a removed node is up again after its restart")
    check(not gone.view()["name"], "a removed node is in its cluster again after its restart")


# --- failover -------------------------------------------------------------------------------------------------------


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


def kill_the_sealer(options):
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        took, known = [], []
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            for _ in range(3):
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                count = recorder.session(session)["chunk_count"]
                # Asked last: a node that is not the preferred one gives the role back once that one is steady.
                sealer, lease, _ = cluster.holder(among=cluster.nodes[1:])
                killed = time.time()
                sealer.kill()
                heir, fence, seconds = moved(cluster, killed, [n for n in cluster.nodes[1:] if n is not sealer], lease["fence"])
                took.append(seconds)
                known.append(sent_to(recorder, killed, lease["fence"]))
                say(f"{sealer.name} ({lease['fence']}) killed; {heir.name} ({fence}) after {seconds:.2f} s")
                wait_chunks(recorder, session, count + 1)
                note(f"failover.next_chunk_s.{len(took)}", time.time() - killed,
                     "s, kill -9 until the next chunk is stored (one is made each 5 s)")
                sealer.start()
                cluster.wait_formed(30)
            stop_and_verify(recorder, session)
            wait_copies(recorder, session)
        watch.judge()
        say("leases: " + watch.text())
        note("failover.role_s_min", min(took), f"s, least of {len(took)}: kill -9 of the sealer until another holds the lease")
        note("failover.role_s_max", max(took), "s, the same, most")
        note("failover.recorder_s_max", max(known), "s, most: until the recorder sends chunks to the heir")
        check(min(took) < FAILOVER_SECONDS_MAX, f"no failover took less than {FAILOVER_SECONDS_MAX} s: {took}")
        check(max(took) < FAILOVER_SECONDS_MAX * BUSY, f"a failover took {max(took):.1f} s")


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


def kill_a_holder(options):
    with standard(4, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        session = begin(recorder, 8)
        verified(recorder, session)
        wait_copies(recorder, session)

        def holders():
            return {h["name"] for h in recorder.get("/v1/replication")["holders"] if h["chunk_count"]}
        check(holders() == {"pi-2", "pi-3"}, f"copies are at {holders()}, not at the first two of placement.replicas")
        killed = time.monotonic()
        cluster[3].kill()
        eventually("pi-4 holds copies", COPIES_SECONDS_MAX, lambda: "pi-4" in holders(), 0.2)
        eventually("two whole copies without pi-3", COPIES_SECONDS_MAX, lambda: audited(recorder, session) >= 2, 0.5)
        note("repair.s", time.monotonic() - killed, "s, kill -9 of a holder until two copies are whole again; repair_after 3 s")
        # The same while chunks are on their way to it.
        session = begin(recorder, 15)
        wait_chunks(recorder, session, 1)
        cluster[2].kill()
        cluster[3].start()
        verified(recorder, session)
        wait_copies(recorder, session)


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


# --- partition ------------------------------------------------------------------------------------------------------


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


def paused_holder(options):
    """The node that seals hangs, another takes over, and it comes back believing that it still has the role. Then the recorder
    hangs."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            session = begin(recorder, 600)
            for _ in range(2):
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                sealer, lease, _ = cluster.holder()
                paused = time.time()
                sealer.pause()
                _, _, took = moved(cluster, paused, [n for n in cluster.nodes if n is not sealer], lease["fence"])
                note("paused.role_s", took, "s, SIGSTOP of the sealer until another holds the role")
                wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
                sealer.resume()
                cluster.wait_formed(30)
            recorder.pause()
            time.sleep(5)
            recorder.resume()
            cluster.wait_formed(30)
            wait_chunks(recorder, session, recorder.session(session)["chunk_count"] + 1)
            stop_and_verify(recorder, session)
            wait_copies(recorder, session)
        watch.judge()
        say("leases: " + watch.text())


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


# --- chaos ----------------------------------------------------------------------------------------------------------


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


# --- running --------------------------------------------------------------------------------------------------------


class told:
    """Shows the logs of a cluster in which something went wrong."""

    def __init__(self, cluster):
        self.cluster = cluster

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and issubclass(kind, Exception):
            self.cluster.show_logs()


SUITES = {
    "form": [form_by_files, form_by_invitation],
    "failover": [kill_the_sealer, paused_holder, kill_a_holder],
    "restart": [kill_the_recorder, kill_everybody, change_while_recording],
    "partition": [minority_holder, one_way, bad_links, slow_disk],
    "chaos": [chaos_run],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM", help="the program lucid")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--case", help="one case of the suite alone")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=int, default=90, help="how long chaos lasts")
    parser.add_argument("--nodes", type=int, default=4, choices=range(3, 10), metavar="N", help="of chaos")
    parser.add_argument("--numbers", type=pathlib.Path, help="file that measured numbers are appended to")
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    require_namespaces()
    cases = [c for c in SUITES[options.suite] if options.case in (None, c.__name__)]
    if not cases:
        parser.error(f"there is no case {options.case}: {', '.join(c.__name__ for c in SUITES[options.suite])}")
    failures = []
    for case in cases:
        began = time.monotonic()
        say(f"--- {options.suite}.{case.__name__}")
        try:
            case(options)
            say(f"ok: {case.__name__}, {time.monotonic() - began:.0f} s")
        except Exception as trouble:  # One case's failure must not hide another's.
            if not isinstance(trouble, Wrong):
                traceback.print_exc()
            say(f"FAILED: {case.__name__}, {time.monotonic() - began:.0f} s: {trouble}")
            failures.append(case.__name__)
    if options.numbers:
        with open(options.numbers, "a") as file:
            for name, value, unit in numbers:
                file.write(f"{name} {value:.3f} {unit}\n")
    if failures:
        say(f"FAILED: {', '.join(failures)}; seed {options.seed}")
        raise SystemExit(1)
    say(f"all {len(cases)} cases hold")


if __name__ == "__main__":
    main()
