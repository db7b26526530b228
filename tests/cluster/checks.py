"""tests/cluster/checks.py - what every case of a cluster says, waits and complains with."""
import http.client
import subprocess
import sys
import time

SKIPPED = 77


class Wrong(AssertionError):
    """What was tested does not hold."""


def check(holds, text):
    if not holds:
        raise Wrong(text)


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def skip(text):
    print(f"SKIPPED: {text}", file=sys.stderr, flush=True)
    raise SystemExit(SKIPPED)


def eventually(what, seconds, ask, pause=0.1):
    """The first answer of `ask` that is true, and after how many seconds it came."""
    began = time.monotonic()
    last = None
    while True:
        try:
            answer = ask()
            if answer:
                return answer, time.monotonic() - began
            last = answer
        except (OSError, http.client.HTTPException, ValueError, subprocess.SubprocessError) as trouble:
            last = trouble
        if time.monotonic() - began > seconds:
            raise Wrong(f"not within {seconds} s: {what} (last: {last!r})")
        time.sleep(pause)
