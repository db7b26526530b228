#!/usr/bin/env bash
# Operates a node from a shell as a person or a script does: inspect, act, drain, capsules, audit log, login link.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/e2e/operate.sh LUCID

Runs a node of the program LUCID that records, and the commands that look at it and act on it. Nothing is kept.
USAGE
}
[[ ${1:-} == --help ]] && { usage; exit 0; }
program=${1:?the path of the lucid binary; see --help}

work=$(mktemp -d /tmp/lucid-operate-XXXXXX)
node_pid=
clean_up() {
  [[ -n $node_pid ]] && kill -9 "$node_pid" 2>/dev/null
  rm -rf "$work"
  return 0
}
trap clean_up EXIT
lucid() { "$program" --data-dir "$work/data" --log-level warn "$@" </dev/null; }
fail() { echo "operate: $*" >&2; cat "$work/out" >&2 2>/dev/null || true; exit 1; }

says() { # PATTERN COMMAND...: it ends well and says so
  local pattern=$1; shift
  lucid "$@" >"$work/out" 2>&1 || fail "lucid $* failed"
  grep -q -- "$pattern" "$work/out" || fail "lucid $* does not say '$pattern'"
}
refuses() { # CODE PATTERN COMMAND...
  local code=$1 pattern=$2 ended=0; shift 2
  lucid "$@" >"$work/out" 2>&1 || ended=$?
  [[ $ended == "$code" ]] || fail "lucid $* ended with $ended instead of $code"
  grep -q -- "$pattern" "$work/out" || fail "lucid $* does not say '$pattern'"
}
becomes() { # PATTERN COMMAND...: within ten seconds
  local pattern=$1 _; shift
  for _ in {1..100}; do
    lucid "$@" >"$work/out" 2>&1 || true
    if grep -q -- "$pattern" "$work/out"; then return 0; fi
    sleep 0.1
  done
  fail "lucid $* never says '$pattern'"
}
start_node() {
  "$program" --data-dir "$work/data" --log-level warn "$@" node >"$work/node.log" 2>&1 & node_pid=$!
  becomes 'data in' status
}
stop_node() { lucid stop; wait "$node_pid" || fail "the node ended badly"; node_pid=; }

refuses 5 'no node serves' inspect
lucid keys init --no-passphrase >/dev/null
start_node --set console.port=0
id=$(lucid record --detach 'generator:frames=100000&realtime=1')
short=${id:0:12}

becomes "sessions/$short/capture .*running" inspect
says 'Who sends to it' inspect storage/store
says "sessions/$id/seal" inspect "sessions/${id:0:6}/seal" --json
refuses 3 'did you mean "storage/store"' inspect storage/stor
[[ $(timeout -s INT 2 "$program" --data-dir "$work/data" inspect storage --watch=0.2 --json | head -n 3 | wc -l) == 3 ]] ||
  fail "a watch does not print a line a look"
ended=0; timeout --preserve-status -s INT 1 "$program" --data-dir "$work/data" inspect --watch >"$work/out" 2>&1 || ended=$?
[[ $ended == 0 ]] || fail "an interrupted watch ends with $ended"

refuses 2 'nobody can be asked' actors kill "sessions/$short/seal"
says 'It is under way' actors kill "sessions/$short/seal" --yes
becomes 'incarnation 2' inspect "sessions/$short/seal"
says "sessions/$short/seal" capsules list
capsule=$(lucid capsules list --json | grep -o '"id": "[^"]*"' | head -n 1 | cut -d '"' -f 4)
says 'the actor was killed' capsules show "$capsule"
says 'It is under way' actors restart storage/store --yes
becomes 'incarnation 2' inspect storage/ledger
says 'It is under way' actors suspend recorder --yes
becomes 'recorder, suspended' inspect recorder
says 'It is under way' actors resume recorder --yes
becomes 'recorder, running' inspect recorder
refuses 9 'suspend one of them' actors suspend storage --yes

says 'starts no new sessions' node drain --yes
refuses 8 'draining' record --detach 'generator:frames=10'
says 'starts new sessions' node accept --yes
second=$(lucid record --detach 'generator:frames=10')
becomes 'completed' sessions show "$second"

says '^http://127.0.0.1:[0-9]*/login?token=[0-9a-f]*$' console open
link=$(lucid console open --quiet)
if command -v curl >/dev/null; then
  [[ $(curl -s -o /dev/null -w '%{http_code}' "$link") == 303 ]] || fail "the login link does not let a browser in"
  [[ $(curl -s -o /dev/null -w '%{http_code}' "$link") == 401 ]] || fail "the login link works twice"
fi

says 'kill sessions/' audit show
says '^INTACT' audit verify
stop_node

start_node --set console.serve=off
refuses 8 'console' console open
says 'kill sessions/' audit show
stop_node
sed -i '0,/kill/s//heal/' "$work/data/audit.log"
start_node --set console.port=0
refuses 4 'NOT INTACT' audit verify
stop_node
echo "operate: inspect, kill, restart, suspend, resume, capsules, drain, login link, audit log"
