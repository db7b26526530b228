#!/usr/bin/env bash
# Uses `lucid top` as a person does: in a terminal of 80x24, on a node that records, kill and all.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/e2e/top.sh LUCID

Runs a node of the program LUCID and `lucid top` beside it in tmux; presses keys and reads the screen: tree, list,
filter, an actor's page, sessions, stopping a session after its question, a small terminal, no terminal, no node.
Exit code 77, said loudly, when tmux is missing.
USAGE
}
[[ ${1:-} == --help ]] && { usage; exit 0; }
program=${1:?the path of the lucid binary; see --help}
command -v tmux >/dev/null || { echo "SKIPPED: tmux is missing (scripts/install_deps.sh test)" >&2; exit 77; }

work=$(mktemp -d /tmp/lucid-top-XXXXXX)
node_pid=
tmux_() { tmux -S "$work/tmux" "$@"; }
clean_up() {
  tmux_ kill-server 2>/dev/null
  [[ -n $node_pid ]] && kill -9 "$node_pid" 2>/dev/null
  rm -rf "$work"
  return 0
}
trap clean_up EXIT
lucid() { "$program" --data-dir "$work/data" --log-level warn "$@"; }
screen() { tmux_ capture-pane -p; }
fail() { echo "top: $*" >&2; echo "--- the screen:" >&2; screen >&2 || true; exit 1; }

shows() { # a pattern, within ten seconds
  local _
  for _ in {1..100}; do
    if screen | grep -q -- "$1"; then return 0; fi
    sleep 0.1
  done
  fail "nothing like '$1' is shown"
}
press() { tmux_ send-keys "$@"; }

if lucid top </dev/null >"$work/out" 2>&1; then fail "top ran without a node"; fi
grep -q 'no node' "$work/out" || { cat "$work/out" >&2; fail "it is not said that no node runs"; }

lucid keys init --no-passphrase >/dev/null
"$program" --data-dir "$work/data" --log-level warn node >/dev/null 2>&1 & node_pid=$!
for _ in {1..100}; do lucid status >/dev/null 2>&1 && break; sleep 0.1; done
if lucid top </dev/null >"$work/out" 2>&1; then fail "top ran without a terminal"; fi
grep -q 'needs a terminal' "$work/out" || { cat "$work/out" >&2; fail "it is not said that a terminal is needed"; }
lucid record --detach 'generator:frames=100000&realtime=1' --title 'Night shift' >/dev/null

tmux_ -f /dev/null new-session -d -x 80 -y 24 "$program --data-dir $work/data top; echo LEFT; sleep 60"
shows 'ACTOR .*STATE .*MSG/S'
shows '^  storage '
shows '^    store .*running'
press 2; shows 'sorted by busy'
press /; press -l recorder; press Enter; shows '^recorder .*running'
press Escape; shows 'storage/store'
press 1; press End; press Enter; shows 'incarnation 1'
press Escape; press 3; shows 'Night shift'
press x; shows 'Stop recording .*y/n'
press n; shows 'nothing was done'
press x; shows 'Stop recording .*y/n'; press y; shows 'completed'
press '?'; shows 'fold or unfold'
tmux_ resize-window -x 60 -y 12; shows '60x12 is small'
tmux_ resize-window -x 120 -y 40; shows 'lucid'
press 1; shows 'storage'
kill -9 "$node_pid"; wait "$node_pid" 2>/dev/null || true; node_pid=
shows 'no news'
press q; shows LEFT
echo "top: tree, list, filter, actor, sessions, stop, help, resize and a node that went away"
