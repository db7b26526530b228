#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test by CTest.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'USAGE'
Usage: scripts/test.sh [--no-install] [--no-fuzz] [--sanitize] [CTEST ARGUMENT...]

Installs what is missing (scripts/install_deps.sh), builds the release and runs every test; then builds the
fuzz targets with clang and runs each over its corpus for a few seconds. What comes after the options goes to
CTest, e.g. `scripts/test.sh -L unit` or `scripts/test.sh -R chunk`.

  --no-install  do not install anything
  --no-fuzz     leave the fuzz targets out
  --sanitize    also build and run the unit, actor and integration tests under asan and under tsan (long)
  --help        this text
USAGE
}

install=1 fuzz=1 sanitize=
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --no-install) install= ;;
    --no-fuzz) fuzz= ;;
    --sanitize) sanitize=1 ;;
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

build release
say "tests"
ctest --test-dir build/release --output-on-failure -j "$jobs" "$@"

if [[ -n $fuzz ]]; then
  build fuzz
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
say "all done"
