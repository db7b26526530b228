#!/usr/bin/env bash
# tests/bench/backup_comparison.sh - Lucid against restic and borg: the same bytes, encrypted, compressed, synced.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'USAGE'
Usage: tests/bench/backup_comparison.sh [--lucid FILE] [--size MIB] [--rounds N] [--dir DIR] [--record-only] [--json]

Takes the same bytes into Lucid, restic and borg, in turns, on the same cores, each with encryption and zstd at its
level 3 (restic: compression "auto"), into an empty store each time, and prints throughputs and ratios. Two inputs:

  video   an H.264 file that does not compress: `lucid record file:`, restic backup, borg create; and the pipeline alone
  text    terminal lines: the pipeline alone (as `lucid bench pipeline` feeds it), restic backup, borg create

Whole runs are measured: start, reading, sealing, storing, sync, end; `lucid record` also journals, signs and anchors.
The pipeline alone is measured by `lucid bench`: sealing and storing with sync, without a program's start.

  --lucid FILE   the program (default build/release/bin/lucid)
  --size MIB     how much to take in a round (default 256)
  --rounds N     rounds; the median counts (default 3)
  --dir DIR      where everything lies, on the disk to be measured; emptied (default build/backup-comparison)
  --record-only  leave out the pipeline alone
  --json         print JSON instead of a table
  --help         this text

Exit code: 0 measured, 1 failed, 2 bad usage, 77 a program is missing (scripts/install_deps.sh bench).
USAGE
}

lucid_bin=build/release/bin/lucid size_mib=256 rounds=3 dir=$PWD/build/backup-comparison as_json='' record_only=''
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --json) as_json=1; shift; continue ;;
    --record-only) record_only=1; shift; continue ;;
    --lucid|--size|--rounds|--dir) [[ -n ${2:-} ]] || { echo "backup_comparison: $1 needs a value" >&2; exit 2; } ;;
    *) echo "backup_comparison: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  case $1 in
    --lucid) lucid_bin=$2 ;;
    --size) size_mib=$2 ;;
    --rounds) rounds=$2 ;;
    --dir) dir=$2 ;;
  esac
  shift 2
done
[[ $size_mib =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ ]] || { echo "backup_comparison: --size and --rounds take numbers" >&2; exit 2; }
for program in restic borg ffmpeg python3; do
  command -v "$program" >/dev/null || { echo "SKIPPED: $program is not installed (scripts/install_deps.sh bench)" >&2; exit 77; }
done
[[ -x $lucid_bin ]] || { echo "SKIPPED: $lucid_bin is not built" >&2; exit 77; }
lucid_bin=$(readlink -f "$lucid_bin")

mkdir -p "$dir"
dir=$(readlink -f "$dir")
work=$(mktemp -d "$dir/run-XXXXXX")
trap 'rm -rf "$work"' EXIT
export RESTIC_PASSWORD=benchmark BORG_PASSPHRASE=benchmark RESTIC_CACHE_DIR=$work/restic-cache BORG_BASE_DIR=$work/borg-base

# Wall seconds and processor seconds, children included, of a command; its output goes to a log.
measure() { # COMMAND...
  python3 - "$work/log" "$@" <<'PY'
import os, resource, subprocess, sys, time
log, command = sys.argv[1], sys.argv[2:]
begun = time.monotonic()
with open(log, "a") as to:
    code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=to, stderr=to).returncode
took = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if code != 0:
    sys.exit(f"{command[0]} ended with {code}: see {log}")
os.sync()
print(f"{took:.3f} {used.ru_utime + used.ru_stime:.3f}")
PY
}

# --- inputs ----------------------------------------------------------------------------------------------------------
# Noise: real H.264 that costs little to make, does not compress and does not repeat. Each frame is a key frame, since
# `lucid record` encodes again what has more than a few MiB between two of them.
make_video() {
  ffmpeg -v error -f lavfi -i "color=gray:s=1280x720:r=15,noise=alls=100:allf=t" -c:v libx264 -preset ultrafast -qp 18 \
    -g 1 -fs $((size_mib * 1048576)) -y "$work/video.mp4"
}

make_text() { # What a terminal shows; every line differs.
  python3 - "$work/text.log" $((size_mib * 1048576)) <<'PY'
import random, sys
random.seed(7)
left, line = int(sys.argv[2]), 0
with open(sys.argv[1], "w") as to:
    while left > 0:
        text = "".join(
            f"{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02} line {n:06}: the quick brown fox jumps over the lazy dog, "
            f"user-{random.randrange(100)} took {random.randrange(100000)} us\n" for n in range(line, line + 10000))
        line += 10000
        to.write(text[:left])
        left -= len(text)
PY
}

throughput() { awk -v mib="$1" -v s="$2" 'BEGIN {printf "%.1f", mib / s}'; }
median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# --- one run of each -------------------------------------------------------------------------------------------------
run_lucid() {
  rm -rf "$work/lucid"
  "$lucid_bin" --data-dir "$work/lucid" keys init --no-passphrase >/dev/null 2>&1
  measure "$lucid_bin" --data-dir "$work/lucid" --log-level error --quiet record "file:$1"
}
run_restic() {
  rm -rf "$work/restic" "$work/restic-cache"
  restic -q -r "$work/restic" init >/dev/null
  measure restic -q -r "$work/restic" --compression auto backup "$1"
}
run_borg() {
  rm -rf "$work/borg" "$work/borg-base"
  borg init -e repokey-blake2 "$work/borg" >/dev/null 2>&1
  measure borg create --compression zstd,3 "$work/borg::one" "$1"
}

results=() # input program mib_per_s cpu_s_per_gib
compare() { # INPUT FILE PROGRAM...
  local input=$1 file=$2 program round line mib
  shift 2
  mib=$(awk -v b="$(stat -c %s "$file")" 'BEGIN {printf "%.3f", b / 1048576}')
  cat "$file" >/dev/null # All read from the page cache.
  for program in "$@"; do : >"$work/$program.wall"; : >"$work/$program.cpu"; done
  for ((round = 0; round < rounds; round++)); do
    for program in "$@"; do
      line=$("run_$program" "$file") || { tail -n 5 "$work/log" >&2; exit 1; }
      printf '%s\n' "${line% *}" >>"$work/$program.wall"
      printf '%s\n' "${line#* }" >>"$work/$program.cpu"
    done
  done
  for program in "$@"; do
    results+=("$input $program $(throughput "$mib" "$(median <"$work/$program.wall")") $(throughput "$mib" "$(median <"$work/$program.cpu")")")
  done
}

make_video
make_text
load_before=$(cut -d' ' -f1 /proc/loadavg)
compare video "$work/video.mp4" lucid restic borg
compare text "$work/text.log" restic borg
if [[ -z $record_only ]]; then
"$lucid_bin" --data-dir "$work/bench" --log-level error --quiet --json bench pipeline --seconds 16 >"$work/bench.json"
for input in video text; do
  results+=("$input pipeline $(python3 - "$work/bench.json" $input <<'PY'
import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["pipeline"] if r["input"] == sys.argv[2] and r["place"] == "disk"]
print(f'{max(rows, key=lambda r: r["cores"])["pipeline_bytes_per_s"] / 1048576:.1f} 0')
PY
)")
done
fi
load_after=$(cut -d' ' -f1 /proc/loadavg)

# --- the table -------------------------------------------------------------------------------------------------------
printf '%s\n' "${results[@]}" >"$work/results"
python3 - "$work/results" "${as_json:-0}" "$load_before" "$load_after" "$(nproc)" <<'PY'
import json, sys
results, as_json, before, after, cores = sys.argv[1:6]
rows = [dict(zip(("input", "program", "mib_per_s", "mib_per_cpu_s"), line.split())) for line in open(results)]
for r in rows:
    r["mib_per_s"], r["mib_per_cpu_s"] = float(r["mib_per_s"]), float(r["mib_per_cpu_s"])
ratios = [{"input": ours["input"], "what": f'{ours["program"]} / {theirs["program"]}',
           "ratio": round(ours["mib_per_s"] / theirs["mib_per_s"], 2), "wanted": 3}
          for ours in rows if ours["program"] in ("lucid", "pipeline")
          for theirs in rows if theirs["input"] == ours["input"] and theirs["program"] in ("restic", "borg")]
if as_json == "1":
    print(json.dumps({"cores": int(cores), "load": [before, after], "runs": rows, "ratios": ratios}, indent=2))
else:
    print(f'{"input":<8}{"program":<12}{"MiB/s":>10}{"MiB per cpu s":>16}')
    for r in rows:
        cpu = f'{r["mib_per_cpu_s"]:.1f}' if r["mib_per_cpu_s"] else "-"
        print(f'{r["input"]:<8}{r["program"]:<12}{r["mib_per_s"]:>10.1f}{cpu:>16}')
    print()
    for r in ratios:
        print(f'{r["input"]:<8}{r["what"]:<20}{r["ratio"]:>8.2f}   wanted >= 3: {"met" if r["ratio"] >= 3 else "missed"}')
    print(f"load average {before} before, {after} after, {cores} cores")
PY
