#!/usr/bin/env bash
# The one list of the Debian packages Lucid needs, grouped by what they are for.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/install_deps.sh [--list] [GROUP...]

Installs what is missing (Debian 12 or 13; root or sudo) and asks nothing.
Groups (default: all of build run demo test):
  build   compiler, tools and libraries Lucid is built from
  run     programs a node may call on at run time
  demo    the desktop that scripts/demo.sh records
  test    what scripts/test.sh needs beside that: servers, fuzzers, linters
  bench   the programs the benchmarks compare Lucid with

  --list  print the packages of the groups and install nothing
  --help  this text
USAGE
}

# One line a group. `a|b` is the first of the two that the release has.
declare -A packages=(
  [build]="g++ cmake ninja-build ccache pkg-config git ca-certificates
    libcaf-dev libsodium-dev libzstd-dev libblake3-dev|librust-blake3-dev
    libsqlite3-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libtomlplusplus-dev
    libcli11-dev libexpected-dev libboost-dev libboost-test-dev libcurl4-openssl-dev
    libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
    freerdp3-dev libwinpr3-dev zlib1g-dev libssl-dev libseccomp-dev
    prometheus-cpp-dev libncurses-dev
    libzmq3-dev cppzmq-dev libqrencode-dev
    libxcb1-dev libxcb-shm0-dev libxcb-damage0-dev libxcb-xfixes0-dev libxcb-randr0-dev
    libbenchmark-dev librapidcheck-dev nodejs npm"
  [run]="ffmpeg tor"
  [demo]="xvfb x11-utils x11-apps xdotool xterm xauth openbox freerdp3-shadow-x11 winpr3-utils ffmpeg procps util-linux fonts-dejavu-core"
  [test]="clang libclang-rt-dev|libclang-rt-14-dev shellcheck python3 python3-nacl python3-zstandard
    xvfb x11-utils x11-apps xdotool xterm openbox freerdp3-shadow-x11 winpr3-utils openssl ffmpeg procps util-linux faketime tmux
    chromium prometheus tor iproute2 tcpdump"
  [bench]="restic borgbackup hyperfine"
)
groups_default=(build run demo test)

list_only=
groups=()
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --list) list_only=1 ;;
    *) [[ -v packages[$1] ]] || { echo "install_deps: no group '$1'; groups are: ${!packages[*]}" >&2; exit 2; }
       groups+=("$1") ;;
  esac
  shift
done
((${#groups[@]})) || groups=("${groups_default[@]}")

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }
installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]] && return
  [[ $1 == npm ]] && command -v npm >/dev/null # Node.js from elsewhere brings its own, and Debian's would not go beside it.
}
known() { [[ -n $(apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)"') ]]; }

# FreeRDP 3 is in Debian 12 only through backports.
enable_backports() {
  # shellcheck source=/dev/null
  . /etc/os-release
  [[ ${VERSION_CODENAME:-} == bookworm ]] || return 0
  grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d && return 0
  local mirror
  mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
  [[ -n $mirror ]] || mirror=$(awk '/^deb /{print $2; exit}' /etc/apt/sources.list)
  echo "deb $mirror bookworm-backports main" | as_root tee /etc/apt/sources.list.d/bookworm-backports.list >/dev/null
}

# Runs a command while packages may start no service: of prometheus the tests need promtool alone, and a node starts a
# tor of its own.
policy=/usr/sbin/policy-rc.d
without_services() {
  [[ -e $policy ]] && { "$@"; return; }
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  "$@"
}

# Nor may it be started at the next boot. A service that was there before is left as it is.
disable_service() {
  as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
  as_root deb-systemd-helper disable "$1.service" >/dev/null 2>&1 || true
}

wanted=()
for group in "${groups[@]}"; do read -ra words <<<"${packages[$group]//$'\n'/ }"; wanted+=("${words[@]}"); done

if [[ -n $list_only ]]; then printf '%s\n' "${wanted[@]}" | sort -u; exit 0; fi

# An alternative is settled before the package lists are fetched when one of the two is there already.
missing=()
for word in "${wanted[@]}"; do
  IFS='|' read -ra choices <<<"$word"
  for choice in "${choices[@]}"; do installed "$choice" && continue 2; done
  missing+=("$word")
done
((${#missing[@]})) || { echo "install_deps: everything is installed (${groups[*]})"; exit 0; }

enable_backports
as_root apt-get update -qq
chosen=()
for word in "${missing[@]}"; do
  IFS='|' read -ra choices <<<"$word"
  for choice in "${choices[@]}"; do known "$choice" && { chosen+=("$choice"); continue 2; }; done
  echo "install_deps: this release has none of: ${choices[*]}" >&2; exit 1
done
echo "install_deps: installing ${#chosen[@]} packages: ${chosen[*]}"
without_services as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${chosen[@]}" >/dev/null
for service in prometheus tor; do
  [[ " ${chosen[*]} " != *" $service "* ]] || disable_service "$service"
done
echo "install_deps: done"
