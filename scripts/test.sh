#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test by CTest.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'USAGE'
Usage: scripts/test.sh [--no-install] [--no-fuzz] [--sanitize] [--once] [CTEST ARGUMENT...]

Installs what is missing (scripts/install_deps.sh), builds the release and runs every test; beside that it builds the
fuzz targets with clang, at the lowest priority, and at last runs each over its corpus for a few seconds. What comes after
the options goes to CTest, e.g. `scripts/test.sh -L unit` or `scripts/test.sh -R chunk`.

Tests that judge times fail on a machine that stands still for a second. What failed is run once more, one at a
time; what passes then is named as unsteady at the end, and what fails again fails.

  --no-install  do not install anything
  --no-fuzz     leave the fuzz targets out
  --sanitize    also build and run the unit, actor and integration tests under asan and under tsan (long)
  --once        no second try
  --help        this text
USAGE
}

install=1 fuzz=1 sanitize='' again=1 unsteady=''
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --no-install) install= ;;
    --no-fuzz) fuzz= ;;
    --sanitize) sanitize=1 ;;
    --once) again= ;;
    *) break ;;
  esac
  shift
done

jobs=$(nproc)
say() { printf '\n== %s (%s s) ==\n' "$1" "$SECONDS"; }

if [[ -n $install ]]; then say "packages"; scripts/install_deps.sh; fi

build() { # preset
  say "build $1"
  cmake --preset "$1" >"/tmp/lucid-configure-$1.$$" 2>&1 || { cat "/tmp/lucid-configure-$1.$$"; return 1; }
  rm -f "/tmp/lucid-configure-$1.$$"
  cmake --build --preset "$1" -- -j "$jobs" --quiet
}

# Only of the release: what a fuzz target or a sanitizer finds is true however seldom it is seen.
test_release() { # arguments for CTest
  local run=(ctest --test-dir build/release --output-on-failure) failed
  "${run[@]}" -j "$jobs" "$@" && return
  [[ -n $again ]] || return 1
  failed=$(sed 's/^[0-9]*://' build/release/Testing/Temporary/LastTestsFailed.log | tr '\n' ' ')
  say "once more, one at a time: $failed"
  "${run[@]}" -j 1 --rerun-failed
  unsteady=$failed
}

# Most tests wait more than they compute; a build beside them costs them little at the lowest priority.
fuzz_build='' fuzz_log=build/fuzz-build.log
begin_fuzz_build() {
  set -m # A process group of its own, so that it ends with this script.
  build fuzz >"$fuzz_log" 2>&1 &
  fuzz_build=$!
  set +m
  renice -n 19 -g "$fuzz_build" >/dev/null || true # It may have failed already; what it said is told below.
  trap 'kill %1 2>/dev/null || true' EXIT # By its job: a number may be another's by then.
}
end_fuzz_build() {
  say "the rest of build fuzz"
  wait "$fuzz_build" || { cat "$fuzz_log"; return 1; }
}

build release
[[ -z $fuzz ]] || begin_fuzz_build
say "tests"
test_release "$@"

if [[ -n $fuzz ]]; then
  end_fuzz_build
  say "fuzz targets, briefly"
  ctest --test-dir build/fuzz --output-on-failure -j "$jobs" -L fuzz
fi

if [[ -n $sanitize ]]; then
  for preset in asan tsan; do
    build "$preset"
    say "tests under $preset"
    ctest --test-dir "build/$preset" --output-on-failure -j "$jobs" -L 'unit|actor|integration' "$@"
  done
fi
[[ -z $unsteady ]] || say "UNSTEADY: failed at first, passed at the second try: $unsteady"
say "all done"
