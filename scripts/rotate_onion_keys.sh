#!/usr/bin/env bash
# Gives a running node a new onion address, in an order in which no other node loses it.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/rotate_onion_keys.sh [--data-dir DIR] [--lucid PROGRAM] [--yes]

Moves the onion service of the node that runs on this machine to a new key, and so to a new address. The node's identity,
its transport key and its recordings stay what they are. What happens:

  1. the node publishes the service under a new key, which replaces the kept one (onion_service.secret, mode 0600);
  2. it tells the members of its cluster the new address over the connections they have;
  3. the old address is served for ten more minutes, then withdrawn. Connections that stand are not cut.

A member that is down meanwhile learns the new address from any other member when it comes back. Invitations that name
the old address are void after the ten minutes: make new ones. Whoever has the old key can no longer be mistaken for this
node: what proves a node is its transport key, not its address.

When to do it: after the old address became known to somebody who should not have it, after somebody could read the
key folder, or when it is custom to. Not twice within ten minutes without need.

  --data-dir DIR   of the node, if its configuration does not say
  --lucid PROGRAM  the lucid to ask it with (default: lucid, or build/release/bin/lucid)
  --yes            do not ask first
  --help           this text
USAGE
}

program='' yes=''
options=()
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --yes) yes=1 ;;
    --data-dir) options+=(--data-dir "${2:?--data-dir needs a folder}"); shift ;;
    --lucid) program=${2:?--lucid needs a program}; shift ;;
    *) echo "rotate_onion_keys: there is no option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done

if [[ -z $program ]]; then
  built=$(cd "$(dirname "$0")/.." && pwd)/build/release/bin/lucid
  program=$(command -v lucid || true)
  [[ -n $program || ! -x $built ]] || program=$built
fi
if [[ -z $program ]] || ! command -v "$program" >/dev/null; then
  echo "rotate_onion_keys: there is no lucid; name it by --lucid" >&2
  exit 3
fi

if [[ -z $yes ]]; then
  [[ -t 0 ]] || { echo "rotate_onion_keys: not asked on a terminal; say --yes" >&2; exit 2; }
  read -r -p "Move this node's onion service to a new address? [y/N] " answer
  [[ $answer == [yY]* ]] || { echo "Nothing was changed."; exit 1; }
fi

"$program" "${options[@]}" keys rotate --onion
