#!/usr/bin/env bash
# scripts/lib/cluster_demo.sh - three nodes on this machine, one recording, one killed node. Called by scripts/demo.sh.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  cat <<'USAGE'
Usage: scripts/lib/cluster_demo.sh --lucid PROGRAM [--seconds N] [--dir DIR]

What scripts/demo.sh --cluster does once the program is built.
USAGE
}

program='' seconds=30 dir=$PWD/build/demo-cluster
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --lucid) program=${2:?--lucid needs a program}; shift ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --dir) dir=${2:?--dir needs a folder}; shift ;;
    *) echo "cluster_demo: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
[[ -n $program ]] || { echo "cluster_demo: --lucid is needed" >&2; exit 2; }
program=$(readlink -f "$program")

names=(pi-1 pi-2 pi-3)
rate=30           # Frames of noise, about 27 kB each: a chunk of 8 MiB every ten seconds.
patience=60       # Seconds for each thing that is waited for.
base_port=0
declare -A pids=()

if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
step() { printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"; }
die() { echo "demo: $*" >&2; exit 1; }

clean_up() {
  local name until=$((SECONDS + 20))
  for name in "${!pids[@]}"; do kill "${pids[$name]}" 2>/dev/null || true; done
  for name in "${!pids[@]}"; do
    while kill -0 "${pids[$name]}" 2>/dev/null && ((SECONDS < until)); do sleep 0.1; done
    kill -KILL "${pids[$name]}" 2>/dev/null || true
    wait "${pids[$name]}" 2>/dev/null || true
  done
}

mkdir -p "$dir"
exec 9>"$dir.lock"
flock -n 9 || die "another demo uses $dir"
find "$dir" -mindepth 1 -delete
chmod 700 "$dir"
trap clean_up EXIT
trap 'echo; echo "demo: stopped"; exit 130' INT TERM HUP

# Six ports in a row: messages and chunks of each node.
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for ((base_port = 7810; base_port < 9000; base_port += 10)); do
  for ((i = 0; i < 6; ++i)); do port_is_free $((base_port + i)) || continue 2; done
  break
done
address() { echo "127.0.0.1:$((base_port + 2 * ($1 - 1)))"; }
nodes="pi-1=tcp://$(address 1),pi-2=tcp://$(address 2),pi-3=tcp://$(address 3)"

# The shipped file, and what is different when all three are on one machine.
on() {
  local name=$1
  shift
  ${run:-command} "$program" --config "$root/config/cluster-3.toml" --log-level "${level:-warn}" --set "node.name=$name" --data-dir "$dir/$name" \
    --set "mesh.listen=$(address "${name#pi-}")" --set "cluster.nodes=$nodes" --set "cluster.secret_file=$dir/secret" \
    --set chunk.size_bytes=8388608 --set console.port=0 "$@" 9>&-
}
show() {
  printf '%s[%s]$ lucid %s%s\n' "$bold" "$1" "${*:2}" "$plain"
  on "$@"
}
start() {
  run=exec level=info on "$1" node >>"$dir/$1.log" 2>&1 </dev/null &
  pids[$1]=$!
}

# wait_for WHAT COMMAND...: until it succeeds, or nobody believes in it any more.
wait_for() {
  local what=$1 name until=$((SECONDS + patience))
  shift
  while ! "$@"; do
    for name in "${!pids[@]}"; do
      kill -0 "${pids[$name]}" 2>/dev/null || { tail -n 5 "$dir/$name.log" >&2; die "$name has ended; its log is $dir/$name.log"; }
    done
    ((SECONDS < until)) || die "not in $patience s: $what; logs are in $dir"
    sleep 0.1
  done
}
runs() { on "$1" status >/dev/null 2>&1; }
sees_all() { [[ $(on "$1" cluster status --json 2>/dev/null | grep -c '"state": "up"') == 2 ]]; }
sealer() { # Of several roles, one object each.
  on pi-1 cluster status --json 2>/dev/null | awk -F'"' '
    /\{/ { role = holder = "" }
    $2 == "role" { role = $4 }
    $2 == "holder_name" { holder = $4 }
    /\}/ && role == "seal" && holder != "" { print holder; exit }'
}
has_sealer() { [[ -n $(sealer) ]]; }
other_sealer() { local now; now=$(sealer); [[ -n $now && $now != "$1" ]]; }
chunks() { find "$dir/pi-1/sessions/$id" -name 'video-*.chunk' 2>/dev/null | wc -l; }
more_chunks_than() { (($(chunks) > $1)); }
state() { on pi-1 sessions show "$id" --json | sed -n 's/.*"state": "\(.*\)".*/\1/p' | head -n 1; }
is_over() { [[ $(state) == completed || $(state) == failed ]]; }
copies_are_there() { on pi-1 store audit 2>/dev/null | grep -q 'whole cop'; }
now_ms() { date +%s%3N; }

step "Three nodes, formed by config/cluster-3.toml and one secret"
(umask 077; openssl rand -hex 32 >"$dir/secret")
on pi-1 keys init --no-passphrase --quiet >/dev/null
echo "the owner's key, who can open the recording: $dir/pi-1/keys"
for name in "${names[@]}"; do start "$name"; done
for name in "${names[@]}"; do wait_for "$name runs" runs "$name"; done
for name in "${names[@]}"; do wait_for "$name sees the others" sees_all "$name"; done
wait_for "a node has the role seal" has_sealer
show pi-1 cluster members
show pi-1 cluster status

step "Record on pi-1: sealed on $(sealer), copied to pi-2 and pi-3"
source_url="generator:seed=1&noise=1&realtime=1&size=320x240&rate=$rate&frames=$((seconds * rate))"
printf '%s[pi-1]$ lucid record "%s" --detach%s\n' "$bold" "$source_url" "$plain"
id=$(on pi-1 record "$source_url" --title "Cluster demo" --detach --json --quiet | grep -o '[0-9a-f]\{64\}' | head -n 1)
[[ -n $id ]] || die "no recording was started"
echo "recording ${id:0:12}, $seconds s"
wait_for "the first chunk is sealed" more_chunks_than 0

step "Kill the node that seals, in the middle of it"
victim=$(sealer)
stored=$(chunks)
began=$(now_ms)
kill -KILL "${pids[$victim]}"
wait "${pids[$victim]}" 2>/dev/null || true
unset "pids[$victim]"
echo "kill -9 $victim; $stored chunks are stored"
wait_for "another node has the role" other_sealer "$victim"
echo "$(sealer) has the role seal, $(($(now_ms) - began)) ms later"
wait_for "another chunk is sealed" more_chunks_than "$stored"
echo "the next chunk is sealed, $(($(now_ms) - began)) ms after the kill"
show pi-1 cluster status

step "The recording goes on to its end"
patience=$((seconds + 60))
wait_for "the recording is over" is_over
[[ $(state) == completed ]] || die "the recording ended as $(state)"
show pi-1 sessions list

step "Verify: every block of every chunk, whoever sealed it"
show pi-1 verify "$id"

step "$victim comes back, and the copies are completed"
start "$victim"
wait_for "$victim runs" runs "$victim"
for name in "${names[@]}"; do wait_for "$name sees the others" sees_all "$name"; done
patience=200 # A copy that was under way when the node died is made again after two minutes at most.
wait_for "all copies are there" copies_are_there
show pi-1 store audit "$id"

step "The cluster, as pi-1 sees it"
show pi-1 cluster members
show pi-1 cluster status
printf '\nAll of it lies in %s. The demo took %s s.\n' "$dir" "$SECONDS"
step "End of the nodes"
