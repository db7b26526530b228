#!/usr/bin/env bash
# Tells whether nodes can reach each other through Tor from this machine: joins, publishes an onion service, visits it.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/test_tor_connectivity.sh [OPTION...]

Starts a tor of its own in a temporary folder, which touches neither a running node nor the system's tor, and times

  1. joining the Tor network             (seconds; minutes on a first start or through bridges)
  2. publishing an onion service         (some seconds, up to a minute)
  3. a visit to it through Tor           (some seconds)
  4. a second visit                      (what a request between two nodes will feel like)

  --program TOR    the tor to test (default: tor; tor.program of the node)
  --extra FILE     more lines for its torrc: bridges, proxies (tor.extra_torrc of the node)
  --socks IP:PORT  visit through the SOCKS port of a tor that is running already (tor.socks of the node)
  --timeout N      seconds without progress in a step after which it has failed (default 180)
  --private        in a Tor network of its own on this machine, without the Internet (needs python3)
  --help           this text

Ends with 0 when the visits worked, 1 when a step failed (it says which, and what tor said), 2 for wrong use, 3 when tor
is missing.
USAGE
}

program=tor extra='' socks='' patience=180 private=''
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --private) private=1 ;;
    --program|--extra|--socks|--timeout)
      (($# > 1)) || { echo "test_tor_connectivity: $1 needs a value; see --help" >&2; exit 2; }
      case $1 in
        --program) program=$2 ;;
        --extra) extra=$2 ;;
        --socks) socks=$2 ;;
        --timeout) patience=$2 ;;
      esac
      shift ;;
    *) echo "test_tor_connectivity: there is no option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
wrong() { echo "test_tor_connectivity: $*" >&2; exit 2; }
[[ $patience =~ ^[1-9][0-9]{0,4}$ ]] || wrong "--timeout needs a number of seconds from 1"
[[ -z $socks || $socks =~ ^[0-9.]+:[0-9]+$ ]] || wrong "--socks needs an address such as 127.0.0.1:9050"
[[ -z $extra || -r $extra ]] || wrong "$extra cannot be read"
[[ -z $extra || -z $private ]] || wrong "--extra and --private exclude each other"
[[ -z $socks || -z $private ]] || wrong "--socks and --private exclude each other"
command -v "$program" >/dev/null || { echo "test_tor_connectivity: there is no program '$program'; scripts/install_deps.sh run installs it" >&2; exit 3; }
here=$(cd "$(dirname "$0")/.." && pwd)

work=$(mktemp -d /tmp/lucid-tor-test-XXXXXX)
tor='' network=''
clean_up() {
  [[ -n $tor ]] && { kill "$tor" 2>/dev/null; wait "$tor" 2>/dev/null; }
  [[ -n $network ]] && { kill "$network" 2>/dev/null; wait "$network" 2>/dev/null; }
  rm -rf "$work"
  return 0
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

say() { printf '%-34s %s\n' "$1" "$2"; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }
fail() {
  echo "test_tor_connectivity: $*" >&2
  if [[ -s $work/log ]]; then
    echo "what tor said last:" >&2
    sed -n 's/.*\[\(warn\|err\)\] /  /p' "$work/log" | grep -vE 'running Tor as root|TestingTorNetwork|DirAuthority|sensitive information' | tail -5 >&2 || true
    tail -1 "$work/log" | sed 's/.*\] /  /' >&2
  fi
  exit 1
}

if [[ -n $private ]]; then
  [[ -x $here/tests/doubles/private_tor.py ]] || wrong "--private needs the source tree"
  coproc NETWORK { exec "$here/tests/doubles/private_tor.py" "$work/net"; }
  network=$NETWORK_PID
  IFS= read -r -t 150 ready <&"${NETWORK[0]}" || fail "the private Tor network did not come up"
  extra=$work/net/client.torrc
  say "private Tor network" "${ready#ready } s"
fi

# The service answers by a SOCKS port of its own, so that nothing but tor is needed to talk to it.
mkdir -m 700 "$work/state" "$work/service" "$work/answer"
cat >"$work/torrc" <<TORRC
DataDirectory $work/state
SocksPort 127.0.0.1:auto OnionTrafficOnly
SocksPort unix:$work/answer/socket
HiddenServiceDir $work/service
HiddenServicePort 7800 unix:$work/answer/socket
ClientOnly 1
Log notice stdout
Log [rend]info file $work/services.log
__OwningControllerProcess $$
TORRC
[[ -z $extra ]] || echo "%include $(realpath "$extra")" >>"$work/torrc"
say "tor" "$("$program" --version | sed -n '1s/Tor version \(.*[0-9]\)\.*$/\1/p')"
began=$(now_ms)
: >"$work/log"
"$program" -f "$work/torrc" --defaults-torrc "$work/no-defaults" >"$work/log" 2>&1 </dev/null &
tor=$!

# --- 1 -----------------------------------------------------------------------------------------------------------
percent=0 moved=$(now_ms)
while ((percent < 100)); do
  kill -0 "$tor" 2>/dev/null || fail "tor ended"
  read -r seen phase < <(sed -n 's/.*Bootstrapped \([0-9]*\)% ([a-z_]*): \(.*\)/\1 \2/p' "$work/log" | tail -1) || seen=0
  if ((seen > percent)); then
    percent=$seen moved=$(now_ms)
    [[ -t 1 ]] && printf '  %3d%% %s\n' "$percent" "$phase"
  fi
  (($(now_ms) - moved < patience * 1000)) || fail "no progress in joining Tor for $patience s: $percent%, ${phase:-}. Is there a firewall? Is the clock right? Bridges go into --extra"
  sleep 0.2
done
say "1. joined the Tor network" "$(seconds $(($(now_ms) - began)))"

# --- 2 -----------------------------------------------------------------------------------------------------------
onion=$(<"$work/service/hostname")
moved=$(now_ms)
until grep -qE 'Uploaded hidden service descriptor .status 200|hidden service descriptor: finished with status 200' "$work/services.log" 2>/dev/null; do
  (($(now_ms) - moved < patience * 1000)) || fail "the onion service was not published within $patience s"
  kill -0 "$tor" 2>/dev/null || fail "tor ended"
  sleep 0.2
done
say "2. published an onion service" "$(seconds $(($(now_ms) - moved)))"

# --- 3, 4 --------------------------------------------------------------------------------------------------------
own=$(sed -n 's/.*Opened Socks listener connection (ready) on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/log" | head -1)
through=${socks:-$own}
hear() { timeout "$1" head -c "$2" <&"$line" | od -An -tx1 | tr -d ' \n'; } # SECONDS BYTES

# SOCKS 5: no password; connect by name; then the greeting of the service, which is a SOCKS port as well.
visit() { # SECONDS
  local answer
  exec {line}<>"/dev/tcp/${through%:*}/${through##*:}" || return 2
  printf '\x05\x01\x00' >&"$line"
  [[ $(hear 5 2) == 0500 ]] || { exec {line}>&-; return 2; }
  printf '\x05\x01\x00\x03\x3e%s\x1e\x78' "$onion" >&"$line"
  answer=$(hear "$1" 10)
  [[ ${answer:0:4} == 0500 ]] || { exec {line}>&-; return 1; }
  printf '\x05\x01\x00' >&"$line"
  answer=$(hear "$1" 2)
  exec {line}>&-
  [[ $answer == 0500 ]]
}

first=$(now_ms)
while true; do
  tried=$(now_ms) code=0
  visit "$patience" 2>/dev/null || code=$?
  ((code != 0)) || break
  ((code != 2)) || fail "nobody speaks SOCKS 5 at $through"
  (($(now_ms) - first < patience * 1000)) || fail "the onion service was not reached through $through within $patience s"
  sleep 1
done
say "3. first visit to it" "$(seconds $(($(now_ms) - first)))"
tried=$(now_ms)
visit "$patience" 2>/dev/null || fail "the second visit failed"
say "4. second visit" "$(seconds $(($(now_ms) - tried)))"
echo "Tor works from here."
