"""tests/cluster/cases_anchor.py - recordings are anchored in the chain of whichever node has the role."""
import json
import time

from case_steps import FINAL_SECONDS_MAX, begin, standard, told, verified, wait_chunks, wait_copies
from checks import check, eventually, say
from lease_watch import LeaseWatch
from node_process import FINAL

UNTRUSTED, NOT_NOW = 6, 8


def wait_for_the_preferred(cluster):
    """pi-3 has the role when it was there first; pi-2 gets it after fifteen lease times of being up."""
    cluster.holder(60, role="anchor", among=[cluster[2]])


def keys_seen_by(node):
    return {m["name"]: m["sign_key"] for m in node.view()["members"]}


def blocks_of(node):
    """How many blocks its own chain has beyond the first."""
    return node.get("/v1/ledger?count=1")["blocks"][0]["height"]


def check_anchored_by(node, session, name):
    """The node says whose chain it is, verifies it, and a proof of it convinces whoever trusts that member, and nobody else."""
    keys = keys_seen_by(node)
    node.verify(session)
    report = node.lucid_json("verify", session)
    check(report["anchored"] and report["block"]["producer"] == keys[name], f"not in the chain of {name}: {report}")
    height, words = report["block"]["height"], f"of {name}'s chain"
    for command in (("verify", session), ("sessions", "show", session)):
        said = node.lucid(*command)[1]
        check(f"block {height} {words}" in said, f"lucid {command[0]} does not say \"{words}\":\n{said}")
    check(f"{height} of {name}" in node.lucid("sessions", "list")[1], "the list does not say whose block it is")
    proof = str(node.folder / f"{session[:8]}.proof")
    node.lucid("prove", session, "--output", proof, "--force")
    for member, key in keys.items():
        node.lucid("verify-proof", proof, "--producer", key, codes=(0 if member == name else UNTRUSTED,))
    say(f"{session[:12]}: anchored in block {height} {words}; its proof holds for that key alone")


def anchored_record(cluster, name, seed, seconds=6):
    session = begin(cluster[1], seconds, seed)
    verified(cluster[1], session)
    check_anchored_by(cluster[1], session, name)
    return session


def the_role_moves(options):
    """pi-2 anchors for pi-1 and is killed; pi-3 goes on; what is in pi-2's chain still verifies. A copy has its block, too."""
    with standard(3, options.program, options.keep, seal=[], anchor=[2, 3]) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            wait_for_the_preferred(cluster)
            first = anchored_record(cluster, "pi-2", 1)
            check(blocks_of(recorder) == 0, "the recorder has it in its own chain, too")
            wait_copies(recorder, first)
            eventually("the copy on pi-3 verifies as a whole", 30, lambda: cluster[3].lucid(
                "verify", first, "--data-dir", str(cluster[3].data / "replicas"), codes=None)[0] == 0, 1)
            cluster[2].kill()
            second = anchored_record(cluster, "pi-3", 2)
            check_anchored_by(cluster[1], first, "pi-2")
            recorder.kill()
            recorder.start()
            check_anchored_by(cluster[1], first, "pi-2")
            check_anchored_by(cluster[1], second, "pi-3")
        watch.judge()


def the_holder_is_lost_in_the_middle(options):
    """pi-2 is killed at the moment at which recordings end: each is anchored once, by pi-2 or by pi-3."""
    with standard(3, options.program, options.keep, seal=[], anchor=[2, 3]) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            wait_for_the_preferred(cluster)
            sessions = [begin(recorder, 4, seed) for seed in range(1, 4)]
            eventually("the first of them is anchored, or on its way", 40,
                       lambda: any(recorder.state_of(s)[0] in ("anchoring", *FINAL) for s in sessions), 0.02)
            keys = keys_seen_by(recorder)
            cluster[2].kill()
            for session in sessions:
                shown = verified(recorder, session)
                check(shown["block_producer"] in (keys["pi-2"], keys["pi-3"]), f"anchored by nobody: {shown}")
            check(blocks_of(recorder) == 0, "the recorder has something in its own chain")
        watch.judge()


def the_recorder_is_cut_off(options):
    """Alone it records and seals to the end; nobody anchors it, it says so, and it is anchored when the links are back."""
    with standard(3, options.program, options.keep, seal=[], anchor=[2, 3]) as cluster, told(cluster):
        recorder = cluster[1]
        with LeaseWatch(cluster) as watch:
            wait_for_the_preferred(cluster)
            cluster.partition([recorder], cluster.nodes[1:])
            session = begin(recorder, 6)
            eventually("it is sealed and waits for its anchor", FINAL_SECONDS_MAX,
                       lambda: recorder.state_of(session)[0] == "anchoring")
            time.sleep(5)
            check(recorder.state_of(session)[0] == "anchoring", "it was anchored, although nobody was there to do it")
            code, said, _ = recorder.lucid("verify", session, codes=None)
            check(code == NOT_NOW and "NOT YET ANCHORED" in said, f"verify ended with {code}:\n{said}")
            state = next(a["state"] for a in recorder.get("/v1/actors")["actors"] if a["path"] == "storage/anchor")
            check(state["anchored by"] == "nobody at present" and state["pending"] == "1", f"the anchor says {json.dumps(state)}")
            cluster.heal()
            cluster.wait_formed(30)
            verified(recorder, session)
            check_anchored_by(cluster[1], session, "pi-2")
        watch.judge()


def the_recorder_is_lost_for_good(options):
    """pi-3 adopts what was pi-1's, in the chain of pi-2: a recording that was anchored keeps its place, the other gets one."""
    with standard(3, options.program, options.keep, seal=[], anchor=[2, 3]) as cluster, told(cluster):
        one, two, three = cluster.nodes
        wait_for_the_preferred(cluster)
        whole = anchored_record(cluster, "pi-2", 1)
        place = one.lucid_json("verify", whole)["block"]
        cut = begin(one, 600, seed=2)
        wait_chunks(one, cut, 2)
        wait_copies(one, whole)
        eventually("a copy of what there is of the other", 60,
                   lambda: one.get("/v1/replication")["without_copy_count"] == 0, 0.2)
        one.kill()
        three.lucid("cluster", "remove", "pi-1", "--yes")
        eventually("pi-3 lists what was pi-1's", 20, lambda: len(three.lucid_json("store", "adopt", "--list")["recordings"]) == 2)
        out = three.lucid("store", "adopt", "pi-1", seconds=120)[1]
        check(out.count("of pi-2's chain") == 2, f"what was adopted does not say whose chain it is in:\n{out}")
        for session in (whole, cut):
            check_anchored_by(three, session, "pi-2")
        check(three.lucid_json("verify", whole)["block"] == place, "it has another place than before")
        check(blocks_of(three) == 0, "the node that adopted has it in its own chain, too")


CASES = [the_role_moves, the_holder_is_lost_in_the_middle, the_recorder_is_cut_off, the_recorder_is_lost_for_good]
