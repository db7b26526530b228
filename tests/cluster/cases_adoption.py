"""tests/cluster/cases_adoption.py - a recorder is lost for good; a holder of copies finishes its recordings."""
import json

from case_steps import begin, standard, told, verified, wait_chunks
from checks import check, eventually, say
from node_process import FINAL


def has_copies(node, count):
    told = node.get("/v1/replication")
    return told["replicated_count"] >= count and told["without_copy_count"] == 0


def adoptable(node):
    return {r["session"]: r for r in node.lucid_json("store", "adopt", "--list")["recordings"]}


def whole_audit(node, session):
    """Once copies/replication has looked at it, nothing is damaged or missing, and everybody could be asked."""
    code, out, complaint = node.lucid("store", "audit", session, "--json", codes=None, seconds=120)
    check(code in (0, 1, 4, 8) and out, f"store audit ended with {code}: {complaint}")
    recordings = json.loads(out)["recordings"]
    whole = recordings and all(c["damaged"] + c["missing"] == 0 and not c["failure"] for c in recordings[0]["copies"])
    return recordings[0] if whole else None


def held_by(node, holder, session):
    audit = whole_audit(node, session)
    return audit and any(c["name"] == holder and c["verified"] == audit["chunk_count"] > 0 for c in audit["copies"]) and audit


def verify_copy(node, session, words):
    """In the folder of copies there is no chain."""
    code, out, _ = node.lucid("verify", session, "--data-dir", node.data / "replicas", codes=None, seconds=120)
    check(code == 8 and words in out, f"verify of a copy ended with {code}:\n{out}")


def lose_the_recorder(options):
    """pi-1 makes one recording to its end and is killed in the middle of another. pi-2 may adopt neither while pi-1 is a member,
    and both when it was removed: one keeps the manifest of pi-1, the other gets one of pi-2. Both verify on pi-2, open with the
    owner's key, and the copies on pi-3 are pi-2's from then on."""
    with standard(3, options.program, options.keep) as cluster, told(cluster):
        one, two, three = cluster.nodes
        whole = begin(one, 8, seed=1)
        verified(one, whole)
        cut = begin(one, 600, seed=2)
        wait_chunks(one, cut, 3)
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
                                     lambda s=session: held_by(two, "pi-3", s), 0.5)
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


CASES = [lose_the_recorder]
