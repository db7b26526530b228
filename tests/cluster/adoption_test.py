#!/usr/bin/env python3
"""tests/cluster/adoption_test.py - a recorder is lost for good; a holder of copies finishes its recordings.

    adoption_test.py PROGRAM [--keep]

pi-1 makes one recording to its end and is killed in the middle of another. pi-2 may adopt neither while pi-1 is a member, and
both when it was removed: one keeps the manifest of pi-1, the other gets one of pi-2. Both verify on pi-2, open with the owner's
key, and the copies on pi-3 are pi-2's from then on. Ends with 77 where there are no network namespaces.
"""
import argparse
import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from nodes import FINAL, Cluster, check, eventually, require_namespaces, say  # noqa: E402

CHEAP = ("--encoder", "mpeg4", "--quality", "1")


def source(seconds, seed):
    """Noise that fills about a chunk each five seconds, in real time."""
    return f"generator:seed={seed}&frames={seconds * 5}&noise=1&size=640x480&rate=5&realtime=1"


def has_copies(node, count):
    told = node.get("/v1/replication")
    return told["replicated_count"] >= count and told["without_copy_count"] == 0


def adoptable(node):
    return {r["session"]: r for r in node.lucid_json("store", "adopt", "--list")["recordings"]}


def audited(node, session):
    code, out, complaint = node.lucid("store", "audit", session, "--json", codes=None, seconds=120)
    check(code in (0, 4, 8) and out, f"store audit ended with {code}: {complaint}")
    recording = json.loads(out)["recordings"][0]
    return recording if all(c["damaged"] + c["missing"] == 0 and not c["failure"] for c in recording["copies"]) else None


def verify_copy(node, session, words):
    """In the folder of copies there is no chain."""
    code, out, _ = node.lucid("verify", session, "--data-dir", node.data / "replicas", codes=None, seconds=120)
    check(code == 8 and words in out, f"verify of a copy ended with {code}:\n{out}")


def lose_the_recorder(program, keep):
    with Cluster(program, 3, keep) as cluster:
        # One copy is wished for beside the recording: with pi-1 gone, pi-3 is all that is left for it.
        cluster.write_configs(capture=[1], seal=[2, 3], replicas=[2, 3], extra={"replication": ['repair_after = "3 s"', 'challenge_interval = "5 s"']})
        cluster.make_keys()
        cluster.start()
        cluster.wait_formed(30)
        one, two, three = cluster.nodes
        try:
            whole = one.record(source(8, 1), *CHEAP)
            check(one.wait_final(whole, 90)[0] == "completed", f"{whole[:12]} did not end in order")
            cut = one.record(source(600, 2), *CHEAP)
            eventually(f"3 chunks of {cut[:12]}", 60, lambda: one.session(cut)["chunk_count"] >= 3)
            eventually("their copies", 60, lambda: has_copies(one, one.session(whole)["chunk_count"] + 3), 0.2)
            recorder_key = one.lucid_json("verify", whole)["recorder"]
            one.kill()
            say(f"pi-1 is lost; {whole[:12]} was completed, {cut[:12]} was being recorded")

            code, out, complaint = two.lucid("store", "adopt", cut, codes=None)
            check(code != 0 and "lucid cluster remove pi-1" in complaint, f"adopted from a member: {code}\n{out}{complaint}")
            verify_copy(two, whole, "COPY INTACT")
            two.lucid("cluster", "remove", "pi-1", "--yes")
            listed, _ = eventually("pi-2 lists what was pi-1's", 10, lambda: len(found := adoptable(two)) == 2 and found)
            check({r["origin_name"] for r in listed.values()} == {"pi-1"}, f"whose? {listed}")
            check(listed[whole]["has_manifest"] and not listed[cut]["has_manifest"], f"which has a manifest? {listed}")
            check(listed[cut]["chunk_count"] >= 3, f"chunks are missing: {listed[cut]}")

            adopted = {s["id"]: s for s in two.lucid_json("store", "adopt", "pi-1", seconds=120)["sessions"]}
            check(adopted[cut]["state"] == "interrupted", f"{adopted[cut]}")
            check("the recorder pi-1 was lost; finished by pi-2 from copies" in adopted[cut]["reason"], f"{adopted[cut]}")
            check(adopted[cut]["chunk_count"] == listed[cut]["chunk_count"], f"{adopted[cut]} of {listed[cut]}")
            check(adopted[whole]["state"] == "completed", f"{adopted[whole]}")

            for session in (whole, cut):
                out = two.verify(session)[1]
                check("INTACT: every byte is what was sealed, signed and anchored" in out, out)
                # The owner's key of pi-1 opens it: the manifest states the right commitment.
                opened = two.lucid_json("verify", session, "--key", one.data / "keys" / "owner.key", seconds=120)
                check(opened["intact"] and opened["decrypted"], f"it does not open: {opened}")
                check((opened["recorder"] == recorder_key) == (session == whole), f"who signed {session[:12]}? {opened['recorder']}")
                audit, took = eventually(f"the copies of {session[:12]} on pi-3 are pi-2's", 60,
                                         lambda s=session: (a := audited(two, s)) and any(
                                             c["name"] == "pi-3" and c["verified"] == a["chunk_count"] > 0 for c in a["copies"]) and a, 0.5)
                say(f"{session[:12]}: {audit['chunk_count']} chunks, verifies on pi-2; pi-3 holds them for it after {took:.1f} s")

            again = two.lucid_json("store", "adopt", cut)["sessions"][0]
            check(again == adopted[cut], f"adopting twice made another: {again}, {adopted[cut]}")
            check(not (two.data / "replicas" / "sessions" / cut).exists(), "pi-2 keeps a copy of its own recording")
            check(not adoptable(two), f"there is more to adopt on pi-2: {adoptable(two)}")
            eventually("pi-3 has nothing to adopt", 30, lambda: not adoptable(three), 0.5)
            code, _, complaint = three.lucid("store", "adopt", cut, codes=None)
            check(code != 0 and "cluster remove pi-2" in complaint, f"pi-3 adopted from pi-2: {code} {complaint}")
            eventually("pi-3 has manifest and row of pi-2", 30, lambda: three.lucid(
                "verify", cut, "--data-dir", three.data / "replicas", codes=None, seconds=120)[0] == 8, 0.5)
            verify_copy(three, cut, "COPY INTACT")

            two.kill()
            two.start()
            check(two.session(cut)["state"] in FINAL, "adopted, and not final after a restart")
            two.verify(cut)
        except Exception:
            cluster.show_logs()
            raise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM", help="the program lucid")
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    require_namespaces()
    lose_the_recorder(options.program, options.keep)
    say("ok")


if __name__ == "__main__":
    main()
