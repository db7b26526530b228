"""tests/cluster/cases_standby.py - a recorder is lost, and another node records on."""
import time

from case_steps import BUSY, CHEAP, FAILOVER_SECONDS_MAX, note, source, standard, told, verified, wait_chunks
from checks import check, eventually, say
from lease_watch import LeaseWatch

LOST = r"(\S+) is lost: recording on ([0-9a-f]{12}) as ([0-9a-f]{12})"


def standing_by(program, keep):
    """All three may record, and stand in for each other."""
    cluster = standard(3, program, keep, capture=[1, 2, 3], replicas=[1, 2, 3])
    cluster.holder(role="capture")
    return cluster


def begin_titled(node, seconds):
    session = node.record(source(seconds), "--title", "desk", *CHEAP)
    say(f"{node.name} records {session[:12]}, {seconds} s")
    return session


def standby(node, field):
    return next(r for r in node.get("/v1/actors")["actors"] if r["path"] == "standby")["state"][field]


def wait_known(nodes, count, seconds=15):
    """All of them know so many plans of others."""
    return eventually(f"{[n.name for n in nodes]} know {count} plans", seconds,
                      lambda: all(standby(n, "plans known") == str(count) for n in nodes), 0.05)[1]


def sessions(node):
    return node.get("/v1/sessions")["sessions"]


def recording(cluster):
    return [(n.name, s["id"]) for n in cluster.nodes if n.runs for s in sessions(n) if s["state"] == "recording"]


def check_recorded(cluster, node, session):
    check(recording(cluster) == [(node.name, session)], f"recorded are {recording(cluster)}, not {session[:12]} alone")


def stood_in(cluster, lost, session, since, among):
    """Who records on, under which id, and the seconds until it said so and until its first frame."""
    def ask():
        for node in among:
            found = node.logged(LOST, since)
            if found and found[0][2] == session[:12]:
                return node, found[0][3], found[1]
        return None
    (heir, own, took), _ = eventually(f"somebody records {session[:12]} on", 30, ask, 0.05)
    own = next(s["id"] for s in sessions(heir) if s["id"].startswith(own))
    shown, _ = eventually("it has a frame", 20, lambda: (s := heir.session(own))["started_us"] and s, 0.05)
    title = f"desk (goes on from {session[:12]} on {lost.name})"
    check(shown["title"] == title, f"its title is {shown['title']}, not {title}")
    seen = shown["started_us"] / 1e6 - since
    say(f"{heir.name} records on as {own[:12]}, begun after {took:.2f} s, first frame after {seen:.2f} s")
    return heir, own, took, seen


def lost_recorder(options):
    """Killed, then its heir as well: each time one other node records on, and what was recorded verifies."""
    with standing_by(options.program, options.keep) as cluster, told(cluster):
        took, seen = [], []
        with LeaseWatch(cluster) as watch:
            recorder, session = cluster[1], begin_titled(cluster[1], 600)
            for _ in range(2):
                others = [n for n in cluster.nodes if n is not recorder]
                note("failover.plan_s", wait_known(others, 1), "s, until all others know of the session")
                wait_chunks(recorder, session, 1)
                killed = time.time()
                recorder.kill()
                heir, own, begun, first = stood_in(cluster, recorder, session, killed, others)
                took.append(begun)
                seen.append(first)
                recorder.start()
                cluster.wait_formed(30)
                verified(recorder, session, "interrupted")
                check_recorded(cluster, heir, own)
                recorder, session = heir, own
            time.sleep(2)
            check_recorded(cluster, recorder, session)
            recorder.lucid("sessions", "stop", session)
            verified(recorder, session)
        watch.judge()
        say("leases: " + watch.text())
        note("failover.capture_s", min(took), f"s, least of {len(took)}: kill -9 of the recorder until another node records on")
        note("failover.capture_s_max", max(took), "s, the same, most")
        note("failover.frame_s_max", max(seen), "s, most: until its first frame")
        check(min(took) < FAILOVER_SECONDS_MAX, f"nobody recorded on within {FAILOVER_SECONDS_MAX} s: {took}")
        check(max(took) < FAILOVER_SECONDS_MAX * BUSY, f"it took {max(took):.1f} s until somebody recorded on")


def cut_off_recorder(options):
    """It goes on recording, and so does the majority, until it is back."""
    with standing_by(options.program, options.keep) as cluster, told(cluster):
        recorder, others = cluster[1], cluster.nodes[1:]
        with LeaseWatch(cluster) as watch:
            session = begin_titled(recorder, 600)
            wait_known(others, 1)
            began = time.time()
            cluster.partition([recorder], others)
            heir, own, took, _ = stood_in(cluster, recorder, session, began, others)
            note("partition.capture_s", took, "s, cut until a node of the majority records on")
            wait_chunks(heir, own, 1)
            check(recorder.state_of(session)[0] == "recording", "the recorder that was cut off records no more")
            healed = time.monotonic()
            cluster.heal()
            cluster.wait_formed(30)
            eventually(f"{own[:12]} is ended", 30, lambda: heir.state_of(own)[0] != "recording", 0.05)
            note("partition.stand_in_ends_s", time.monotonic() - healed, "s, healed until the stand-in records no more")
            shown = verified(heir, own)
            check(shown["reason"] == f"{recorder.name} records again", f"it ended because of {shown['reason']}")
            check_recorded(cluster, recorder, session)
            wait_known(others, 1)
            recorder.lucid("sessions", "stop", session)
            verified(recorder, session)
            wait_known(cluster.nodes, 0)
            check(not recording(cluster), f"recorded are still {recording(cluster)}")
        watch.judge()
        say("leases: " + watch.text())


def restarted_recorder(options):
    """Killed and started again at once, as a service manager does it: it records on by itself, by the plan that the others
    kept. On a machine so busy that it counted as lost before, one of those does."""
    with standing_by(options.program, options.keep) as cluster, told(cluster):
        recorder, others = cluster[1], cluster.nodes[1:]
        with LeaseWatch(cluster) as watch:
            session = begin_titled(recorder, 600)
            wait_known(others, 1)
            wait_chunks(recorder, session, 1)
            killed = time.time()
            recorder.kill()
            recorder.start()
            cluster.wait_formed(30)
            verified(recorder, session, "interrupted")
            eventually("somebody records on", 30, lambda: recording(cluster), 0.05)
            (name, own), = recording(cluster)
            heir = next(n for n in cluster.nodes if n.name == name)
            shown, _ = eventually("it has a frame", 20, lambda: (s := heir.session(own))["started_us"] and s, 0.05)
            say(f"{name} records on as {own[:12]}, first frame {shown['started_us'] / 1e6 - killed:.2f} s after the kill")
            check(shown["title"] == f"desk (goes on from {session[:12]} on {recorder.name})", f"its title is {shown['title']}")
            time.sleep(5)
            check_recorded(cluster, heir, own)
            wait_known([n for n in cluster.nodes if n is not heir], 1, 45)
            heir.lucid("sessions", "stop", own)
            verified(heir, own)
        watch.judge()
        say("leases: " + watch.text())


FAILOVER = [lost_recorder, restarted_recorder]
PARTITION = [cut_off_recorder]
