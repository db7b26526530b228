#!/usr/bin/env bash
# Steps the clock while a desktop is recorded: back by an hour, then a day ahead. The recordings must hold all the same.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/e2e/clock_step.sh LUCID

Runs the program LUCID under libfaketime, which lets it see another wall clock (not another monotonic one), records the
fixture desktop three times on one data folder - one step back and one step ahead in mid-recording, one whole recording
in the past - and checks that each is as long as it was, verifies, and that the ledger does. Exit code 77, said loudly,
when libfaketime or the fixture's programs are missing.
USAGE
}
[[ ${1:-} == --help ]] && { usage; exit 0; }
program=${1:?the path of the lucid binary; see --help}
root=$(cd "$(dirname "$0")/../.." && pwd)
faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[[ -n $faketime ]] || { echo "SKIPPED: libfaketime is missing (scripts/install_deps.sh test)" >&2; exit 77; }

work=$(mktemp -d /tmp/lucid-clock-XXXXXX)
clean_up() {
  "$root/scripts/lib/desktop.sh" stop --dir "$work/desktop" >/dev/null 2>&1
  rm -rf "$work"
  return 0
}
trap clean_up EXIT
fail() { echo "clock_step: $*" >&2; exit 1; }
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1; }

started=0
"$root/scripts/lib/desktop.sh" start --dir "$work/desktop" --server none --while $$ >/dev/null || started=$?
if ((started == 77)); then echo "SKIPPED: the programs of the desktop fixture are missing" >&2; exit 77; fi
((started == 0)) || fail "the fixture desktop did not start"
desktop_display=''
# shellcheck source=/dev/null
. "$work/desktop/desktop.env"

clock_is() { echo "$1" >"$work/clock.new"; mv "$work/clock.new" "$work/clock"; }
lucid() {
  LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=$work/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    "$program" --data-dir "$work/data" --log-level warn "$@"
}

record() { # name, clock in mid-recording
  local session id length_us stepping
  (sleep 2; clock_is "$2") & stepping=$!
  session=$(lucid --json record "x11://$desktop_display" --seconds 4)
  wait "$stepping"
  id=$(field id <<<"$session")
  [[ $(field state <<<"$session") == completed ]] || fail "$1: $(field reason <<<"$session")"
  length_us=$(($(field ended_us <<<"$session") - $(field started_us <<<"$session")))
  ((length_us >= 2000000 && length_us <= 15000000)) || fail "$1: 4 s were recorded, the recording says $length_us us"
  lucid verify "$id" >"$work/verify" || { cat "$work/verify"; fail "$1: it does not verify"; }
  lucid prove "$id" >"$work/proof.json"
  lucid verify-proof "$work/proof.json" >/dev/null || fail "$1: its proof does not verify"
  echo "$1: $(field frame_count <<<"$session") frames over $((length_us / 1000)) ms, verified and proved"
}

clock_is +0
[[ $(LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=<(echo -3600) date +%s) -lt $(($(date +%s) - 3000)) ]] ||
  { echo "SKIPPED: libfaketime does not step the clock here" >&2; exit 77; }
lucid keys init --no-passphrase >/dev/null
record "back by an hour" -3600
record "in the past" -3600
record "a day ahead" +86400
clock_is +0
lucid ledger verify >"$work/ledger" || { cat "$work/ledger"; fail "the ledger does not verify"; }
echo "ledger: intact over $(lucid --json sessions list | grep -c '"id"') recordings"
