"""tests/cluster/cases_anchor.py - recordings are anchored in the chain of whichever node has the role."""
import json
import time

from case_steps import FINAL_SECONDS_MAX, begin, standard, told, verified, wait_copies
from checks import check, eventually, say
from lease_watch import LeaseWatch
from node_process import FINAL

UNTRUSTED, NOT_NOW = 6, 8


def wait_for_the_preferred(cluster):
    """pi-3 has the role when it was there first; pi-2 gets it after fifteen lease times of being up."""
    cluster.holder(60, role="anchor", among=[cluster[2]])


def key_of(cluster, name):
    return next(m["sign_key"] for m in cluster[1].view()["members"] if m["name"] == name)


def blocks_of(node):
    """How many blocks its own chain has beyond the first."""
    return node.get("/v1/ledger?count=1")["blocks"][0]["height"]


def check_anchored_by(cluster, session, name):
    """The recorder says whose chain it is, verifies it, and a proof of it convinces whoever trusts that node, and nobody else."""
    recorder = cluster[1]
    recorder.verify(session)
    report = recorder.lucid_json("verify", session)
    check(report["anchored"] and report["block"]["producer"] == key_of(cluster, name), f"not in the chain of {name}: {report}")
    words = f"of {name}'s chain"
    for command in (("verify", session), ("sessions", "show", session)):
        said = recorder.lucid(*command)[1]
        check(f"block {report['block']['height']} {words}" in said, f"lucid {command[0]} does not say \"{words}\":\n{said}")
    check(f"{report['block']['height']} of {name}" in recorder.lucid("sessions", "list")[1], "the list does not say whose block it is")
    proof = recorder.folder / f"{session[:8]}.{name}.proof"
    recorder.lucid("prove", session, "--output", str(proof), "--force")
    for node in cluster.nodes:
        code = 0 if node.name == name else UNTRUSTED
        recorder.lucid("verify-proof", str(proof), "--producer", key_of(cluster, node.name), codes=(code,))
    say(f"{session[:12]}: anchored in block {report['block']['height']} {words}; its proof holds for that key alone")


def anchored_record(cluster, name, seed, seconds=6):
    session = begin(cluster[1], seconds, seed)
    verified(cluster[1], session)
    check_anchored_by(cluster, session, name)
    return session


def the_role_moves(options):
    """pi-2 anchors for pi-1 and is killed; pi-3 goes on; what is in the chain of pi-2 still verifies. A copy shows its block too."""
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
            check_anchored_by(cluster, first, "pi-2")
            recorder.kill()
            recorder.start()
            check_anchored_by(cluster, first, "pi-2")
            check_anchored_by(cluster, second, "pi-3")
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
            cluster[2].kill()
            for session in sessions:
                shown = verified(recorder, session)
                check(shown["block_producer"] in (key_of(cluster, "pi-2"), key_of(cluster, "pi-3")), f"anchored by nobody: {shown}")
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
            check_anchored_by(cluster, session, "pi-2")
        watch.judge()


CASES = [the_role_moves, the_holder_is_lost_in_the_middle, the_recorder_is_cut_off]
