#!/usr/bin/env bash
# Records a real RDP desktop and shows what can be done with the recording.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'USAGE'
Usage: scripts/demo.sh [--seconds N] [--server shadow|xrdp] [--dir DIR] [--no-install]
       scripts/demo.sh --cluster [--seconds N] [--dir DIR] [--no-install]

Installs what is missing, builds the release, starts a virtual desktop with a real RDP server, records it for N
seconds (default 20), then lists, verifies, proves and exports the recording, and flips a byte in a copy to show
that verification names the place. Everything stays in DIR (default build/demo).

With --cluster: three nodes on this machine (config/cluster-3.toml), one recording of a generated picture, sealed by
another node than the one that records; that node is killed in the middle. The role moves, the recording is verified, and
so are its copies. Nothing else than the three nodes is started, and all of them are ended.

  --cluster      show a cluster of three nodes; needs no desktop
  --seconds N    how long to record, 5 to 600; with --cluster 20 to 600 (default 30)
  --server NAME  the RDP server: shadow (freerdp-shadow-cli3, the default) or xrdp
  --dir DIR      where recording, proof, video and picture go; emptied first (with --cluster build/demo-cluster)
  --lucid FILE   this program instead of one that is built first
  --no-install   do not install anything
  --help         this text
USAGE
}

seconds='' server=shadow dir='' install=1 cluster='' lucid_bin=''
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --server) server=${2:?--server needs a name}; shift ;;
    --dir) dir=${2:?--dir needs a folder}; shift ;;
    --no-install) install= ;;
    --cluster) cluster=1 ;;
    --lucid) lucid_bin=$(readlink -f "${2:?--lucid needs a program}"); shift ;;
    *) echo "demo: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
least=5
if [[ -n $cluster ]]; then least=20 seconds=${seconds:-30} dir=${dir:-$PWD/build/demo-cluster}; fi
seconds=${seconds:-20} dir=${dir:-$PWD/build/demo}
if ! [[ $seconds =~ ^[0-9]+$ ]] || ((seconds < least || seconds > 600)); then
  echo "demo: --seconds takes $least to 600" >&2; exit 2
fi

if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
step() { printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

# --- what is needed ------------------------------------------------------------------------------------------------
if [[ -n $install ]]; then
  step "Packages"
  if [[ -n $cluster ]]; then scripts/install_deps.sh build run; else scripts/install_deps.sh build run demo; fi
fi

if [[ -z $lucid_bin ]]; then
  step "Build"
  cmake --preset release >/dev/null
  cmake --build --preset release --target lucid
  lucid_bin=$PWD/build/release/bin/lucid
fi
if [[ -n $cluster ]]; then exec scripts/lib/cluster_demo.sh --lucid "$lucid_bin" --seconds "$seconds" --dir "$dir"; fi

rm -rf "$dir"
mkdir -p "$dir"
chmod 700 "$dir"
lucid() { "$lucid_bin" --data-dir "$dir/data" --log-level warn "$@"; }

# --- a desktop where things move -----------------------------------------------------------------------------------
step "A real RDP server"
desktop=$dir/desktop
trap 'scripts/lib/desktop.sh stop --dir "$desktop" >/dev/null 2>&1 || true' EXIT
security=nla; [[ $server == xrdp ]] && security=tls
scripts/lib/desktop.sh start --dir "$desktop" --server "$server" --security "$security" --while $$
desktop_user='' desktop_password='' desktop_host='' desktop_port=''
# shellcheck source=/dev/null
. "$desktop/desktop.env"

# --- record --------------------------------------------------------------------------------------------------------
step "Keys: who can open the recording"
show lucid keys init --no-passphrase

step "Record $seconds s over RDP"
(umask 077; printf '%s\n' "${desktop_password:-}" >"$dir/password")
source_url=rdp://${desktop_user:+$desktop_user@}$desktop_host:$desktop_port
began=$SECONDS
show lucid record "$source_url" --password-file "$dir/password" --title "Demo" --seconds "$seconds"
recorded=$((SECONDS - began))
rm -f "$dir/password"

step "Sessions"
show lucid sessions list
id=$(lucid sessions list --json | sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' | head -n 1)
[[ -n $id ]] || { echo "demo: no session was recorded" >&2; exit 1; }

# --- what can be done with it --------------------------------------------------------------------------------------
step "Verify: every block of every chunk, the signatures, the ledger; with the key also what is inside"
show lucid verify "$id"

step "Prove: a file that convinces somebody who has nothing else"
lucid prove "$id" --leaves >"$dir/proof.json"
(cd / && show "$lucid_bin" verify-proof "$dir/proof.json")

step "Export: a video, and moments of the session in one picture"
show lucid export "$id" "$dir/session.mp4"
show lucid sheet "$id" "$dir/session.png"

step "Flip one byte of a copy, and verify that"
cp -a "$dir/data" "$dir/damaged"
chunk=$(find "$dir/damaged/sessions/$id" -name 'video-*.chunk' | sort | head -n 1)
offset=$(($(stat -c %s "$chunk") / 2))
byte=$(od -An -tu1 -j "$offset" -N 1 "$chunk" | tr -d ' ')
printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$chunk" bs=1 seek="$offset" conv=notrunc status=none
echo "flipped a bit of byte $offset of ${chunk#"$dir"/}"
if show "$lucid_bin" --data-dir "$dir/damaged" verify "$id"; then
  echo "demo: the damage was not found" >&2; exit 1
else
  (($? == 4)) || { echo "demo: verification ended, but not by finding the damage" >&2; exit 1; }
fi

# --- what lies where -----------------------------------------------------------------------------------------------
step "What lies where"
size_of() { du -sb "$@" | awk '{s += $1} END {print s}'; }
chunks=$(find "$dir/data/sessions/$id" -name '*.chunk' -printf '%s\n' | awk '{s += $1} END {print s + 0}')
video=$(size_of "$dir/session.mp4")
raw=$((seconds * 15 * 1280 * 720 * 4))
row() { printf '  %-34s %14s  %s\n' "$@"; }
row what bytes where
row "sealed chunks" "$chunks" "$dir/data/sessions/${id:0:12}.../"
row "metadata" "$(size_of "$dir/data/store.db")" "$dir/data/store.db"
row "ledger" "$(size_of "$dir/data/ledger.db")" "$dir/data/ledger.db"
row "keys" "$(size_of "$dir"/data/keys)" "$dir/data/keys/"
row "proof" "$(size_of "$dir/proof.json")" "$dir/proof.json"
row "video" "$video" "$dir/session.mp4"
row "picture" "$(size_of "$dir/session.png")" "$dir/session.png"
echo
printf '  recording: %s s of wall time for %s s of desktop; %s times smaller than raw pixels at 15 frames a second\n' \
  "$recorded" "$seconds" "$((raw / (chunks > 0 ? chunks : 1)))"
printf '  sealed to video: %s %%; the whole demo took %s s\n' "$((chunks * 100 / (video > 0 ? video : 1)))" "$SECONDS"

# --- and in a browser ----------------------------------------------------------------------------------------------
step "See it in a browser"
printf '  in one terminal    %s --data-dir %s node\n' "$lucid_bin" "$dir/data"
printf '  in another         %s --data-dir %s console open\n' "$lucid_bin" "$dir/data"
printf '  The second prints a link to open. To play the session there, give the page %s\n' "$dir/data/keys/owner.key"
