#!/usr/bin/env bash
# Builds the libFuzzer targets with clang and runs each over its corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'USAGE'
Usage: scripts/fuzz.sh [--seconds N] [--jobs N] [--keep] [--list] [TARGET...]

Builds the preset `fuzz` (clang, address and undefined-behaviour sanitizers) and runs each target, by default all
of tests/fuzz/, over its seed corpus in tests/fuzz/corpus/TARGET and over what earlier runs found, which is kept
in build/fuzz/corpus/TARGET. An input that breaks a target is left in build/fuzz/findings/ and named at the end.

  --seconds N  how long each target runs (default 60)
  --jobs N     targets that run at one time (default: one a core)
  --keep       afterwards, add to the seed corpus what covers more, made as small as can be
  --list       print the targets and end
  --help       this text
USAGE
}

seconds=60 jobs=$(nproc) keep='' list=''
targets=()
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --seconds|--jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: $1 needs a number from 1" >&2; exit 2; }
      if [[ $1 == --seconds ]]; then seconds=$2; else jobs=$2; fi
      shift ;;
    --keep) keep=1 ;;
    --list) list=1 ;;
    -*) echo "fuzz: there is no option '$1'; see --help" >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done

mapfile -t known < <(sed -n 's/^lucid_add_fuzzer(\([a-z0-9_]*\).*/\1/p' tests/fuzz/CMakeLists.txt | sort)
if [[ -n $list ]]; then printf '%s\n' "${known[@]}"; exit 0; fi
((${#targets[@]})) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] || { echo "fuzz: no target '$target'; there are: ${known[*]}" >&2; exit 2; }
done

echo "fuzz: building ${#targets[@]} targets"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset fuzz >"$log" 2>&1 || { cat "$log"; exit 1; }
cmake --build --preset fuzz --target "${targets[@]}" -- -j "$(nproc)" --quiet

mkdir -p build/fuzz/findings
run() { # target
  local target=$1 corpus=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1 output=build/fuzz/findings/$1.log
  mkdir -p "$corpus" "$seeds"
  if "build/fuzz/bin/$target" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    "-artifact_prefix=build/fuzz/findings/$target-" "$corpus" "$seeds" >"$output" 2>&1; then
    echo "fuzz: $target  ok  $(sed -n 's/^stat::number_of_executed_units: */runs /p; s/^stat::new_units_added: */new inputs /p' "$output" | tr '\n' ' ')"
  else
    echo "fuzz: $target  BROKEN; the last lines of $output:" >&2
    tail -n 30 "$output" >&2
    return 1
  fi
}
merge() { # target
  "build/fuzz/bin/$1" -merge=1 "tests/fuzz/corpus/$1" "build/fuzz/corpus/$1" >/dev/null 2>&1
}

failed=0 running=0
for target in "${targets[@]}"; do
  if ((running >= jobs)); then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run "$target" &
  running=$((running + 1))
done
while ((running-- > 0)); do wait -n || failed=1; done

if [[ -n $keep ]]; then for target in "${targets[@]}"; do merge "$target"; done; fi
if ((failed)); then
  echo "fuzz: findings are in build/fuzz/findings/" >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} targets, $seconds s each, nothing found"
