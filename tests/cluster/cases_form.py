"""tests/cluster/cases_form.py - a cluster is formed by files and by invitation, and changed."""
import base64
import pathlib
import re
import sys
import time

from case_steps import CUT_OFF_SECONDS_MAX, begin, note, standard, told, verified, wait_copies
from checks import check, eventually, say
from nodes import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))


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


def taken_back(inviter, joiner):
    """While others stay open."""
    before = inviter.lucid_json("cluster", "invitations")["invitations"]
    text = invite(inviter)
    made = [i["id"] for i in inviter.lucid_json("cluster", "invitations")["invitations"] if i not in before]
    check(len(made) == 1, f"not one invitation more is open: {made}")
    inviter.lucid("cluster", "uninvite", made[0])
    refused(joiner, text, "does not let this node's key in")
    check(inviter.lucid_json("cluster", "invitations")["invitations"] == before, "others were taken back as well")


def form_by_invitation(options):
    with Cluster(options.program, 4, options.keep) as cluster, told(cluster):
        cluster.write_configs(by_files=False, seal=[1, 2])
        cluster.make_keys()
        cluster.start()
        one, two, three, four = cluster.nodes
        one.lucid("cluster", "init", "home")
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
        taken_back(one, three)
        three.lucid("cluster", "join", second)
        cluster.wait_formed(20, [one, two, three])
        check(len({n.view()["cluster_id"] for n in (one, two, three)}) == 1, "members of one cluster have different ids for it")
        short, short_until = invite(one, "--valid", "10 s"), time.monotonic() + 11
        rotate_keys(cluster, two, [one, two, three])
        void = invite(three)
        remove_member(cluster, three, one, two)
        refused(four, void, "not", "refused", "valid", "could not", "timeout")
        time.sleep(max(0.0, short_until - time.monotonic()))
        refused(four, short, "does not let this node's key in")
        # By a new invitation a removed node may come back.
        three.lucid("cluster", "join", invite(two))
        cluster.wait_formed(20, [one, two, three])
        removed_while_off(three, one)


def removed_while_off(gone, by):
    gone.stop()
    by.lucid("cluster", "remove", gone.name, "--yes")
    began = time.time()
    gone.start()
    eventually(f"{gone.name} says that it is not let in", 20, lambda: gone.logged(r"(\S+) does not let this node in", began))


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


CASES = [form_by_files, form_by_invitation]
