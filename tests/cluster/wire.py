#!/usr/bin/env python3
"""tests/cluster/wire.py - a bad link for kernels without netem: carries frames between two interfaces, late and not all.

    wire.py carry NEAR FAR PLAN   until its standard input closes. PLAN is JSON: delay_ms, jitter_ms, loss, reorder,
                                  duplicate (shares of 1), seed, and "from" or "to" for one direction alone.
    wire.py plain INTERFACE       has the kernel put whole frames with check sums on INTERFACE, as `carry` needs them.

"from" is what comes in at NEAR. Every frame takes the delay; a reordered one takes none, so it overtakes.
"""
import array
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

FRAMES_HELD_MAX = 20_000  # A direction; then frames are lost, as in a router's full queue.
FRAMES_IN_A_ROW = 64
FRAME_BYTES_MAX = 65_600
ETH_P_ALL = 0x0003
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
SIOCETHTOOL = 0x8946
OFFLOADS_OFF = (0x17, 0x1F, 0x2C, 0x19)  # ETHTOOL_STXCSUM, STSO, SGSO, SSG


def plain(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS_OFF:
            value = array.array("B", struct.pack("II", command, 0))
            address, _ = value.buffer_info()
            try:
                fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", interface.encode(), address))
            except OSError as trouble:
                if command in OFFLOADS_OFF[:2]:
                    raise SystemExit(f"wire: {interface}: {trouble}")


class Direction:
    def __init__(self, source, target, plan, chance):
        self.source, self.target, self.plan, self.chance = source, target, plan, chance
        self.held, self.count = [], 0
        self.lost = 0

    def take(self, now):
        for _ in range(FRAMES_IN_A_ROW):
            try:
                frame = self.source.recv(FRAME_BYTES_MAX)
            except BlockingIOError:
                return
            plan, chance = self.plan, self.chance
            copies = 1
            if plan:
                if chance.random() < plan.get("loss", 0):
                    self.lost += 1
                    continue
                if chance.random() < plan.get("duplicate", 0):
                    copies = 2
            for _ in range(copies):
                if len(self.held) >= FRAMES_HELD_MAX:
                    self.lost += 1
                    continue
                wait = 0.0
                if plan and chance.random() >= plan.get("reorder", 0):
                    wait = plan.get("delay_ms", 0) / 1000 + chance.random() * plan.get("jitter_ms", 0) / 1000
                self.count += 1
                heapq.heappush(self.held, (now + wait, self.count, frame))

    def give(self, now):
        while self.held and self.held[0][0] <= now:
            try:
                self.target.send(self.held[0][2])
            except BlockingIOError:
                return
            except OSError:  # Too long, or the interface is down: lost.
                self.lost += 1
            heapq.heappop(self.held)


def packets_of(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    end.bind((interface, 0))
    end.setblocking(False)
    return end


def carry(near_name, far_name, plan):
    near, far = packets_of(near_name), packets_of(far_name)
    chance = random.Random(plan.get("seed", 1))
    only = plan.get("only")
    directions = [Direction(near, far, plan if only in (None, "from") else {}, chance),
                  Direction(far, near, plan if only in (None, "to") else {}, chance)]
    print("carrying", flush=True)
    while True:
        due = [one.held[0][0] for one in directions if one.held]
        patience = min(max(0.0, min(due) - time.monotonic()), 1.0) if due else 1.0
        ready, _, _ = select.select([near, far, 0], [], [], patience)
        if 0 in ready and os.read(0, 4096) == b"":
            return
        now = time.monotonic()
        for one in directions:
            if one.source in ready:
                one.take(now)
            one.give(time.monotonic())


def main():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    match sys.argv[1:]:
        case ["plain", interface]:
            plain(interface)
        case ["carry", near, far, plan]:
            carry(near, far, json.loads(plan))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
