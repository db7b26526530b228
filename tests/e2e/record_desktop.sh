#!/usr/bin/env bash
# Records a real desktop over RDP and over X11 with the real program, and checks what comes out.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/e2e/record_desktop.sh LUCID

Starts the fixture desktop (scripts/lib/desktop.sh), records it with the program LUCID over RDP and over X11, and
verifies, proves and exports both recordings; a flipped byte must be found, and a node must finish what it was
killed over. Exit code 77, said loudly, when the RDP server's programs are missing.
USAGE
}
[[ ${1:-} == --help ]] && { usage; exit 0; }
program=${1:?the path of the lucid binary; see --help}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/lucid-e2e-XXXXXX)
node_pid=
clean_up() {
  [[ -n $node_pid ]] && kill -9 "$node_pid" 2>/dev/null
  "$root/scripts/lib/desktop.sh" stop --dir "$work/desktop" >/dev/null 2>&1
  rm -rf "$work"
  return 0
}
trap clean_up EXIT

lucid() { "$program" --data-dir "$work/data" --log-level warn "$@"; }
# Not by the function above: its process would be a shell, and the shell would be killed.
start_node() { "$program" --data-dir "$work/data" --log-level warn node >/dev/null 2>&1 & node_pid=$!; }
fail() { echo "record_desktop: $*" >&2; exit 1; }
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1; }

started=0
"$root/scripts/lib/desktop.sh" start --dir "$work/desktop" --while $$ >/dev/null || started=$?
if ((started == 77)); then echo "SKIPPED: the programs of the RDP fixture are missing" >&2; exit 77; fi
((started == 0)) || fail "the fixture desktop did not start"
desktop_user='' desktop_password='' desktop_host='' desktop_port='' desktop_display=''
# shellcheck source=/dev/null
. "$work/desktop/desktop.env"
(umask 077; printf '%s\n' "$desktop_password" >"$work/password")
lucid keys init --no-passphrase >/dev/null

check() { # name, JSON of the finished session
  local id state frames exported
  id=$(field id <<<"$2") state=$(field state <<<"$2") frames=$(field frame_count <<<"$2")
  [[ $state == completed ]] || fail "$1: the session is $state: $(field reason <<<"$2")"
  ((frames >= 10)) || fail "$1: only $frames frames of a moving desktop"
  lucid verify "$id" >"$work/verify" || { cat "$work/verify"; fail "$1: it does not verify"; }
  grep -q 'decrypted with the key owner' "$work/verify" || fail "$1: it was not decrypted"
  lucid prove "$id" >"$work/proof.json"
  lucid verify-proof "$work/proof.json" >/dev/null || fail "$1: its proof does not verify"
  lucid export "$id" "$work/$1.mp4" >/dev/null
  exported=$(ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$work/$1.mp4")
  [[ ${exported%%,*} == "$frames" ]] || fail "$1: $frames frames were recorded, $exported exported"
  lucid sheet "$id" "$work/$1.png" >/dev/null
  echo "$1: $frames frames, verified, proved, exported"
}

check rdp "$(lucid --json record "rdp://$desktop_user@$desktop_host:$desktop_port" --password-file "$work/password" --seconds 4)"
check x11 "$(lucid --json record "x11://$desktop_display" --seconds 4)"

# The wrong password is told as what it is.
echo wrong >"$work/wrong"
if lucid record "rdp://$desktop_user@$desktop_host:$desktop_port" --password-file "$work/wrong" >/dev/null 2>"$work/refused"; then
  fail "a wrong password was accepted"
fi
grep -q 'does not accept this user and password' "$work/refused" || { cat "$work/refused"; fail "the refusal does not say why"; }

# Damage is found and placed.
id=$(lucid --json sessions list | sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' | while read -r one; do
  [[ -e $work/data/sessions/$one/video-000000.chunk ]] && { echo "$one"; break; }; done)
chunk=$work/data/sessions/$id/video-000000.chunk
byte=$(od -An -tu1 -j 40000 -N 1 "$chunk" | tr -d ' ')
printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$chunk" bs=1 seek=40000 conv=notrunc status=none
found=0
lucid verify "$id" >"$work/verify" 2>&1 || found=$?
((found == 4)) || { cat "$work/verify"; fail "damage ended with exit code $found, not 4"; }
grep -q 'block 2' "$work/verify" || { cat "$work/verify"; fail "block 2 holds byte 40000 and was not named"; }

# A node that is killed finishes at its next start.
start_node
for _ in $(seq 100); do lucid status >/dev/null 2>&1 && break; sleep 0.1; done
id=$(lucid record "x11://$desktop_display" --detach)
for _ in $(seq 100); do (($(lucid --json sessions show "$id" | field frame_count) >= 10)) && break; sleep 0.1; done
kill -9 "$node_pid"
wait "$node_pid" 2>/dev/null || true
start_node
for _ in $(seq 200); do
  state=$(lucid --json sessions show "$id" 2>/dev/null | field state || true)
  [[ $state == interrupted ]] && break
  sleep 0.1
done
[[ $state == interrupted ]] || fail "the killed recording is $state, not interrupted"
lucid verify "$id" >/dev/null || fail "the interrupted recording does not verify"
lucid stop >/dev/null
wait "$node_pid" || fail "the node did not stop in order"
node_pid=
echo "all of it holds"
