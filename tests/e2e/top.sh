#!/usr/bin/env bash
# Uses `lucid top` as a person does: in a terminal of 80x24, on a node that records, kill and all.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/e2e/top.sh LUCID

Runs a node of the program LUCID and `lucid top` beside it in tmux; presses keys and reads the screen: tree, list,
filter, an actor's page, its messages, log lines and crash capsule; restart, kill, suspend, resume, drain and stopping a
session after their questions; a small terminal, no terminal, no node.
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
hides() { # a pattern, within ten seconds
  local _
  for _ in {1..100}; do
    if ! screen | grep -q -- "$1"; then return 0; fi
    sleep 0.1
  done
  fail "'$1' is still shown"
}
press() { tmux_ send-keys "$@"; }

if lucid top </dev/null >"$work/out" 2>&1; then fail "top ran without a node"; fi
grep -q 'no node' "$work/out" || { cat "$work/out" >&2; fail "it is not said that no node runs"; }

lucid keys init --no-passphrase >/dev/null
"$program" --data-dir "$work/data" --log-level warn --set console.port=0 node >/dev/null 2>&1 & node_pid=$!
for _ in {1..100}; do lucid status >/dev/null 2>&1 && break; sleep 0.1; done
if lucid top </dev/null >"$work/out" 2>&1; then fail "top ran without a terminal"; fi
grep -q 'needs a terminal' "$work/out" || { cat "$work/out" >&2; fail "it is not said that a terminal is needed"; }
lucid record --detach 'generator:frames=100000&realtime=1' --title 'Night shift' >/dev/null

restart="$program --data-dir $work/data actors restart recorder"
tmux_ -f /dev/null new-session -d -x 80 -y 24 \
  "$restart; echo NO=\$?; $restart; echo YES=\$?; read -r; $program --data-dir $work/data top; echo LEFT; sleep 60"
shows 'restart recorder: restarts 1 child'; shows 'Go on? .y/N'; press -l n; press Enter; shows 'nothing was done'; shows 'NO=130'
press -l y; press Enter; shows 'It is under way'; shows 'YES=0'; press Enter
shows 'ACTOR .*STATE .*MSG/S'
shows '^  storage '
shows '^    store .*running'
press 2; shows 'sorted by busy'
press /; press -l recorder; press Enter; shows '^recorder .*running'
press Escape; shows 'storage/store'
press 1; press End; press Enter; shows 'incarnation 1'; shows 'session_list_request'
press t; shows 'Messages of storage/store'; shows 'session_list_request .*from '
press Space; shows 'HELD'; press Space
press Escape; shows 'One actor'
press r; shows 'restarts .*store, ledger, anchor'; shows 'restart storage/store? y does it'
press n; shows 'nothing was done'
press r; shows 'y does it'; press y; shows 'incarnation 2'
press K; shows 'as if it had crashed'; shows 'kill storage/store? y does it'; press y; shows 'incarnation 3'
press l; shows 'Log of storage/store'; shows 'killed'
press Escape; press c; shows 'storage/store (2)'
press Enter; shows 'Crash capsule'; shows 'the actor was killed'; shows 'What it handled last'
press 2; press /; press -l recorder; press Enter; shows '^recorder .*running'
press p; shows 'suspend recorder? y does it'; press y; shows '^recorder .*suspended'
press p; shows 'resume recorder? y does it'; press y; shows '^recorder .*running'
press Escape
press d; shows 'starts no new session'; press y; shows 'DRAINING'
if lucid record --detach 'generator:frames=10' >"$work/out" 2>&1; then fail "a draining node took a session"; fi
press d; shows 'lets sessions be started again'; press y; hides 'DRAINING'
press 4; shows 'storage/store (2)'; press 5; shows 'Dead letters'; press 6; shows 'storage/store: killed (incarnation 2)'
press 3; shows 'Night shift'
shows 'recording  *[0-9:]*  *[1-9][0-9]*  .*Night shift'
press x; shows 'ends the recording'; shows 'stop session .* y does it'
press n; shows 'nothing was done'
press e; shows 'extend session .* y does it'; press y; shows 'done, or under way'
press x; shows 'y does it'; press y; shows 'completed'
press x; shows 'has ended already'
press '?'; shows 'the supervision tree'; press End; shows 'the node goes on'
tmux_ resize-window -x 60 -y 12; shows '60x12 is small'
tmux_ resize-window -x 120 -y 40; shows 'lucid'
press 1; shows 'storage'
kill -9 "$node_pid"; wait "$node_pid" 2>/dev/null || true; node_pid=
shows 'no news'
press q; shows LEFT
echo "top: pages, filter, messages, log, capsule, restart, kill, suspend, resume, drain, stop, resize, a node that went away"
