#!/usr/bin/env python3
"""tests/cluster/cluster_test.py - a real cluster is formed, records, is killed, cut apart and healed.

    cluster_test.py PROGRAM form|failover|restart|partition|clocks|adoption|anchor|chaos [--case NAME] [--seed N] [--seconds N] [--nodes N]

What must hold at the end of whatever happened: each recording that is final verifies on its recorder; each chunk that the
recorder's store has acknowledged is there; no number of a lease fell, and no two nodes held one at one time.
Ends with 77 where there are no network namespaces.
"""
import argparse
import pathlib
import random
import signal
import sys
import time
import traceback

import cases_adoption
import cases_anchor
import cases_chaos
import cases_clocks
import cases_failover
import cases_form
import cases_partition
import cases_restart
import cases_standby
from case_steps import numbers
from checks import Wrong, say
from namespaces import require_namespaces

SUITES = {
    "form": cases_form.CASES,
    "failover": cases_failover.CASES + cases_standby.FAILOVER,
    "restart": cases_restart.CASES,
    "partition": cases_partition.CASES + cases_standby.PARTITION,
    "clocks": cases_clocks.CASES,
    "adoption": cases_adoption.CASES,
    "anchor": cases_anchor.CASES,
    "chaos": cases_chaos.CASES,
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
