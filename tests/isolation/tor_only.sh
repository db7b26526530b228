#!/usr/bin/env bash
# tests/isolation/tor_only.sh - runs a command in a network of its own and fails when a packet leaves that is not for Tor.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/isolation/tor_only.sh [--expect-leak] [--capture FILE] -- COMMAND [ARGUMENT...]

Two network namespaces, joined by one cable: inside runs COMMAND, with loopback and a default route; outside a private Tor
network, and tcpdump. Every packet from inside must be TCP to a port of an authority or relay. COMMAND finds what a tor
needs to join that network in the file $LUCID_TOR_EXTRA_TORRC (tor.extra_torrc), and a folder that will go in $LUCID_WORK.
Names are looked up at a server outside, so that a look-up is a packet too.

  --expect-leak   succeed only if a forbidden packet was seen: proof that the net has no hole
  --capture FILE  keep the capture
  --help          this text

Ends with 1 for a forbidden packet, 2 for wrong use, 3 when COMMAND failed, 77 when it cannot be run here (root, tor,
iproute2, tcpdump and python3 are needed).
USAGE
}

expect_leak='' capture=''
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --expect-leak) expect_leak=1 ;;
    --capture) capture=${2:?--capture needs a file}; shift ;;
    --) shift; break ;;
    *) echo "tor_only: there is no option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
(($#)) || { echo "tor_only: no command; see --help" >&2; exit 2; }

skip() { echo "SKIPPED: tor_only needs $* (scripts/install_deps.sh test)" >&2; exit 77; }
((EUID == 0)) || skip root
for program in ip tcpdump tor tor-gencert python3; do command -v "$program" >/dev/null || skip "$program"; done

here=$(cd "$(dirname "$0")" && pwd)
inside=lucid-in-$$ outside=lucid-out-$$
# One end each of a cable; nothing else is in these networks.
address_in=10.213.77.2 address_out=10.213.77.1
ip netns add "$outside" 2>/dev/null || skip "network namespaces"
work=$(mktemp -d /tmp/lucid-tor-only-XXXXXX)
dumper='' network=''
clean_up() {
  [[ -n $dumper ]] && kill "$dumper" 2>/dev/null
  [[ -n $network ]] && { kill "$network" 2>/dev/null; wait "$network" 2>/dev/null; }
  ip netns delete "$inside" 2>/dev/null
  ip netns delete "$outside" 2>/dev/null
  rm -rf "$work"
  return 0
}
trap clean_up EXIT
trap 'exit 3' INT TERM HUP

ip netns add "$inside"
nsenter --net="/run/netns/$outside" ip link add cable type veth peer name cable netns "$inside"
for end in "$outside $address_out" "$inside $address_in"; do
  read -r name address <<<"$end"
  nsenter --net="/run/netns/$name" ip link set lo up
  nsenter --net="/run/netns/$name" ip address add "$address/24" dev cable
  nsenter --net="/run/netns/$name" ip link set cable up
done
nsenter --net="/run/netns/$inside" ip route add default via "$address_out"
# Whatever is sent is seen, whether or not somebody would answer.
hardware=$(nsenter --net="/run/netns/$inside" ip -o link show cable | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p')
[[ -n $hardware ]] || { echo "tor_only: the cable has no address" >&2; exit 3; }
echo "nameserver $address_out" >"$work/resolv.conf"

nsenter --net="/run/netns/$outside" tcpdump -i cable -n -U -s 128 -w "$work/capture" >"$work/tcpdump.log" 2>&1 &
dumper=$!
for _ in {1..100}; do grep -q 'listening on' "$work/tcpdump.log" && break; sleep 0.1; done
grep -q 'listening on' "$work/tcpdump.log" || { cat "$work/tcpdump.log" >&2; exit 3; }

coproc NETWORK { exec nsenter --net="/run/netns/$outside" "$here/../doubles/private_tor.py" --address "$address_out" "$work/net"; }
network=$NETWORK_PID
IFS= read -r -t 150 ready <&"${NETWORK[0]}" || { echo "tor_only: no private Tor network" >&2; exit 3; }
echo "tor_only: private Tor network $ready s"

ended=0
mkdir "$work/inside"
# Mounts of its own, so that names are asked for beyond the cable. Where "/" is no mount of its own there are none: then
# the machine's name server is asked, by the same cable.
own_mounts=()
if unshare --mount true 2>/dev/null; then own_mounts=(unshare --mount); else work_resolv=; fi
# shellcheck disable=SC2016 # The inner shell expands them.
LUCID_TOR_EXTRA_TORRC=$work/net/client.torrc LUCID_WORK=$work/inside nsenter --net="/run/netns/$inside" "${own_mounts[@]}" \
  bash -c '[[ -z $0 ]] || mount --bind "$0" /etc/resolv.conf 2>/dev/null || true; exec "$@"' "${work_resolv-$work/resolv.conf}" "$@" </dev/null || ended=$?

sleep 1 # What was sent last is written.
kill "$dumper"
wait "$dumper" 2>/dev/null || true
dumper=''
[[ -n $capture ]] && cp "$work/capture" "$capture"

to_tor=$(sed 's/^/dst port /' "$work/net/ports" | paste -sd '|' | sed 's/|/ or /g')
# Neighbours find each other by ARP, ICMPv6 and its multicast reports: none of it is sent by a process.
noise="arp or icmp6 or (ip6 and ip6[6] == 0)"
show() { tcpdump -n -r "$work/capture" "ether src $hardware and not ($noise) and $1" 2>/dev/null; }
count=$(show "tcp and dst host $address_out and ($to_tor)" | wc -l)
leaks=$(show "not (tcp and dst host $address_out and ($to_tor))")
echo "tor_only: $count packets to Tor, $(printf '%s' "$leaks" | grep -c '' || true) others"

if [[ -n $leaks ]]; then
  printf '%s\n' "$leaks" | head -20
  [[ -n $expect_leak ]] && exit 0
  echo "tor_only: packets left that were not for Tor" >&2
  exit 1
fi
[[ -z $expect_leak ]] || { echo "tor_only: a leak was expected, and none was seen" >&2; exit 1; }
((ended == 0)) || { echo "tor_only: the command ended with $ended" >&2; exit 3; }
((count > 0)) || { echo "tor_only: nothing was sent to Tor either" >&2; exit 3; }
