#!/usr/bin/env bash
# Runs a test that takes minutes, where LUCID_LONG_TESTS is set; else says that it did not. Usage: when_asked.sh COMMAND...
set -euo pipefail
if [ -n "${LUCID_LONG_TESTS:-}" ]; then exec "$@"; fi
echo "SKIPPED: it takes minutes, and a machine that has nothing else to do: LUCID_LONG_TESTS=1 runs it" >&2
exit 77
