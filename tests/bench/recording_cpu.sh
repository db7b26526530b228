#!/usr/bin/env bash
# tests/bench/recording_cpu.sh - processor time of recording a desktop: x11 and RDP against ffmpeg's x11grab; an idle one.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'USAGE'
Usage: tests/bench/recording_cpu.sh [--lucid FILE] [--seconds N] [--rounds N] [--idle-seconds N] [--dir DIR] [--json]

Starts the 1280x720 desktop of scripts/lib/desktop.sh with its busy terminal and records it in turns with
`ffmpeg -f x11grab`, `lucid record x11://` and `lucid record rdp://` (freerdp-shadow), at the same rate (15 a second)
and with the same encoder settings (libx264, veryfast, zerolatency, crf 23, one thread, a key frame each 10 s). Then an
idle desktop by x11. Prints user + system time, children included, as shares of a core, and their ratios. Lucid's
figure includes its start, journal, sealing, storing and anchoring.

  --lucid FILE       the program (default build/release/bin/lucid)
  --seconds N        length of each recording (default 20)
  --rounds N         rounds; the median counts (default 3)
  --idle-seconds N   length of the idle recording (default 60)
  --dir DIR          where recordings go; emptied (default build/recording-cpu)
  --json             print JSON instead of a table
  --help             this text

Exit code: 0 measured, 1 failed, 2 bad usage, 77 a program is missing (scripts/install_deps.sh test).
USAGE
}

lucid_bin=build/release/bin/lucid seconds=20 rounds=3 idle_seconds=60 dir=$PWD/build/recording-cpu as_json=
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --json) as_json=1; shift; continue ;;
    --lucid|--seconds|--rounds|--idle-seconds|--dir) [[ -n ${2:-} ]] || { echo "recording_cpu: $1 needs a value" >&2; exit 2; } ;;
    *) echo "recording_cpu: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  case $1 in
    --lucid) lucid_bin=$2 ;;
    --seconds) seconds=$2 ;;
    --rounds) rounds=$2 ;;
    --idle-seconds) idle_seconds=$2 ;;
    --dir) dir=$2 ;;
  esac
  shift 2
done
[[ $seconds =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ && $idle_seconds =~ ^[1-9][0-9]*$ ]] ||
  { echo "recording_cpu: --seconds, --rounds and --idle-seconds take numbers" >&2; exit 2; }
for program in ffmpeg python3; do
  command -v "$program" >/dev/null || { echo "SKIPPED: $program is not installed (scripts/install_deps.sh test)" >&2; exit 77; }
done
[[ -x $lucid_bin ]] || { echo "SKIPPED: $lucid_bin is not built" >&2; exit 77; }
lucid_bin=$(readlink -f "$lucid_bin")

mkdir -p "$dir"
work=$(mktemp -d "$(readlink -f "$dir")/run-XXXXXX")
trap 'scripts/lib/desktop.sh stop --dir "$work/desktop" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

# Wall and processor seconds of a command and all its children.
measure() {
  python3 - "$work/log" "$@" <<'PY'
import resource, subprocess, sys, time
log, command = sys.argv[1], sys.argv[2:]
begun = time.monotonic()
with open(log, "a") as to:
    code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=to, stderr=to).returncode
took = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if code != 0:
    sys.exit(f"{command[0]} ended with {code}: see {log}")
print(f"{took:.2f} {used.ru_utime + used.ru_stime:.3f}")
PY
}

lucid() { "$lucid_bin" --data-dir "$work/data" --log-level error --quiet "$@"; }
chunk_bytes() { find "$work/data/sessions" -name '*.chunk' -printf '%s\n' 2>/dev/null | awk '{s += $1} END {print s + 0}'; }

# Each prints: wall seconds, processor seconds, bytes kept.
run_ffmpeg() {
  local spent
  spent=$(measure ffmpeg -nostdin -v error -f x11grab -framerate 15 -video_size "$desktop_size" -i "$desktop_display" -t "$1" \
    -c:v libx264 -preset veryfast -tune zerolatency -crf 23 -g 150 -threads 1 -pix_fmt yuv420p -y "$work/ffmpeg.mp4") || return 1
  echo "$spent $(stat -c %s "$work/ffmpeg.mp4")"
}
run_lucid() { # SECONDS SOURCE [OPTION...]
  local spent before
  before=$(chunk_bytes)
  spent=$(measure "$lucid_bin" --data-dir "$work/data" --log-level error --quiet record "$2" --seconds "$1" --frame-rate 15 \
    --quality 23 --encoder libx264 "${@:3}") || return 1
  echo "$spent $(($(chunk_bytes) - before))"
}
run_x11() { run_lucid "$1" "x11://$desktop_display"; }
run_rdp() { run_lucid "$1" "rdp://$desktop_user@$desktop_host:$desktop_port" --password-file "$work/password"; }

desktop_display='' desktop_size='' desktop_host='' desktop_port='' desktop_user='' desktop_password=''
start_desktop() {
  scripts/lib/desktop.sh start --dir "$work/desktop" --while $$ "$@" >/dev/null
  # shellcheck source=/dev/null
  . "$work/desktop/desktop.env"
  (umask 077; printf '%s\n' "$desktop_password" >"$work/password")
}

load_before=$(cut -d' ' -f1 /proc/loadavg)
lucid keys init --no-passphrase >/dev/null
: >"$work/results"
start_desktop
for ((round = 0; round < rounds; round++)); do
  for what in ffmpeg x11 rdp; do
    spent=$("run_$what" "$seconds") || { tail -n 5 "$work/log" >&2; exit 1; }
    echo "busy $what $spent" >>"$work/results"
  done
done
scripts/lib/desktop.sh stop --dir "$work/desktop"
start_desktop --idle
for what in x11 rdp; do
  spent=$("run_$what" "$idle_seconds") || { tail -n 5 "$work/log" >&2; exit 1; }
  echo "idle $what $spent" >>"$work/results"
done
load_after=$(cut -d' ' -f1 /proc/loadavg)

python3 - "$work/results" "${as_json:-0}" "$load_before" "$load_after" "$(nproc)" <<'PY'
import json, statistics, sys
results, as_json, before, after, cores = sys.argv[1:6]
runs = {}
for line in open(results):
    desktop, what, wall, cpu, size = line.split()
    runs.setdefault((desktop, what), []).append((float(wall), float(cpu), float(size)))
rows = []
for (desktop, what), many in runs.items():
    rows.append({"desktop": desktop, "what": what, "rounds": len(many),
                 "core_share": statistics.median(c / w for w, c, _ in many),
                 "cpu_s": statistics.median(c for _, c, _ in many),
                 "bytes_per_hour": statistics.median(s / w * 3600 for w, _, s in many)})
of = {(r["desktop"], r["what"]): r for r in rows}
pairs = lambda what: statistics.median(ours[1] / theirs[1] for ours, theirs in zip(runs["busy", what], runs["busy", "ffmpeg"]))
goals = [
    ("busy: x11 / ffmpeg x11grab", pairs("x11"), 1.0, ""),
    ("busy: rdp / ffmpeg x11grab", pairs("rdp"), 1.3, ""),
    ("idle: x11, share of a core", of["idle", "x11"]["core_share"] * 100, 2.0, " %"),
    ("idle: x11, an hour", of["idle", "x11"]["bytes_per_hour"] / 1e6, 5.0, " MB"),
    ("idle: rdp, share of a core", of["idle", "rdp"]["core_share"] * 100, 2.0, " %"),
    ("idle: rdp, an hour", of["idle", "rdp"]["bytes_per_hour"] / 1e6, 5.0, " MB"),
]
if as_json == "1":
    print(json.dumps({"cores": int(cores), "load": [before, after], "runs": rows,
                      "goals": [{"goal": g, "found": f, "at_most": w, "met": f <= w} for g, f, w, _ in goals]}, indent=2))
else:
    print(f'{"desktop":<9}{"what":<9}{"of a core":>11}{"MB an hour":>12}')
    for r in rows:
        print(f'{r["desktop"]:<9}{r["what"]:<9}{r["core_share"] * 100:>9.1f} %{r["bytes_per_hour"] / 1e6:>12.1f}')
    print()
    for goal, found, wanted, unit in goals:
        print(f'{goal:<30}{found:>9.2f}{unit:<3}  wanted <= {wanted}{unit}: {"met" if found <= wanted else "missed"}')
    print(f"load average {before} before, {after} after, {cores} cores")
PY
