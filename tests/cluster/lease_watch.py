"""tests/cluster/lease_watch.py - who says that it holds a lease, asked all the time."""
import http.client
import threading
import time

from checks import check


class LeaseWatch(threading.Thread):
    """Asks all nodes again and again who holds what. What must never be seen is in `wrongs`:

    - a number of a lease that two nodes held,
    - a node that says that it holds a lease, between two moments at which another one said so under one number,
    - a number that fell: of a lease as one node sees it during one of its lives, or from one holder to the next.
    """

    def __init__(self, cluster, pause=0.05):
        super().__init__(daemon=True)
        self.cluster, self.pause = cluster, pause
        self.wrongs = []
        self.looks = 0
        self.reigns = {}   # (role, place) -> {fence: [holder, first seen, last seen]}
        self.seen = {}     # (node, life, role, place) -> fence
        self.ending = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()

    def run(self):
        while not self.ending.wait(self.pause):
            for node in self.cluster.nodes:
                if not node.runs:
                    continue
                life = node.lives
                asked = time.monotonic()
                try:
                    leases = node.get("/v1/cluster", seconds=2)["leases"]
                except (OSError, ValueError, KeyError, http.client.HTTPException):
                    continue
                if node.lives != life:
                    continue
                for lease in leases:
                    self.note(node, life, lease, asked, time.monotonic())
                self.looks += 1

    def note(self, node, life, lease, asked, answered):
        what = (lease["role"], lease["place"])
        if lease["fence"]:
            key = (node.name, life, *what)
            before = self.seen.get(key, 0)
            if lease["fence"] < before:
                self.wrongs.append(f"{what}: as {node.name} sees it the number fell from {before} to {lease['fence']}")
            self.seen[key] = lease["fence"]
        if lease["holder_name"] != node.name:
            return
        reigns = self.reigns.setdefault(what, {})
        reign = reigns.setdefault(lease["fence"], [node.name, answered, asked])
        if reign[0] != node.name:
            self.wrongs.append(f"{what}: {reign[0]} and {node.name} both held it under number {lease['fence']}")
        reign[1] = min(reign[1], answered)
        reign[2] = max(reign[2], asked)

    def judge(self):
        """Raises what is wrong. To be called when it has ended."""
        for what, reigns in self.reigns.items():
            in_order = sorted(reigns.items())
            for (fence, (holder, _, last)), (next_fence, (next_holder, first, _)) in zip(in_order, in_order[1:]):
                # `first` is when an answer was there, `last` when one was asked for: both within the reign.
                if holder != next_holder and first < last:
                    self.wrongs.append(f"{what}: {holder} held it under {fence} {last - first:.2f} s longer than since "
                                       f"{next_holder} held it under {next_fence}")
        check(not self.wrongs, "leases: " + "; ".join(self.wrongs[:5]))
        check(self.looks > 0, "nobody was ever asked about leases")

    def text(self):
        return ", ".join(f"{role} {fence}:{reign[0]}" for (role, _), reigns in sorted(self.reigns.items())
                         for fence, reign in sorted(reigns.items()))
