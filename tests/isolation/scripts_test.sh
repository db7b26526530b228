#!/usr/bin/env bash
# tests/isolation/scripts_test.sh - every script explains itself, and shellcheck finds nothing in any.
set -euo pipefail
[[ ${1:-} == --help ]] && { echo "Usage: tests/isolation/scripts_test.sh SOURCE_DIR"; exit 0; }
cd "${1:?the source folder}"

failures=0
complain() { echo "scripts_test: $*" >&2; failures=$((failures + 1)); }

shopt -s nullglob globstar
for script in scripts/*.sh; do
  [[ -x $script ]] || complain "$script is not executable"
  text=$("$script" --help </dev/null 2>&1) || complain "$script --help fails"
  [[ $text == *Usage:* ]] || complain "$script --help prints no usage"
done

if ! command -v shellcheck >/dev/null; then
  echo "SKIPPED: shellcheck is not installed (scripts/install_deps.sh test)" >&2
  ((failures == 0)) && exit 77
else
  shellcheck -x .ci/run scripts/**/*.sh tests/**/*.sh || failures=$((failures + 1))
fi
((failures == 0))
