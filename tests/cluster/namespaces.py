"""tests/cluster/namespaces.py - network namespaces, and what ends with the process that asked for it."""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess

from checks import skip

PR_SET_PDEATHSIG = 1


# Waits until nobody holds the other end of its standard input, and leaves the test's process tree, so that whoever kills
# that tree does not kill it. $1 is the folder, $2 the control groups, the others are namespaces.
GUARD = """exec 3<&0
( trap '' INT TERM HUP
  cat <&3
  sleep 1 # Nodes that were killed need a moment to be gone.
  folder=$1; groups=$2; shift 2
  for space; do ip netns del "$space"; done
  for data in "$folder"/*/data; do mountpoint -q "$data" && umount "$data"; done
  for image in "$folder"/*/disk.img; do losetup -j "$image" | cut -d: -f1 | xargs -r losetup -d; done
  rmdir "$groups"*
  [ -e "$folder/keep" ] || rm -rf "$folder"
) > /dev/null 2>&1 &"""


def die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def inside(space):
    """What runs a command in a namespace. `ip netns exec` and `ip -n` mount things, which needs a "/" that is a mount."""
    return ["nsenter", f"--net=/run/netns/{space}"]


def ip(*words, must=True):
    """As the program; `-n NAME` first is the namespace it is about."""
    command = [*inside(words[1]), "ip", *words[2:]] if words[0] == "-n" else ["ip", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if must and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done


def require_namespaces():
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for program in ("ip", "tc", "nsenter"):
        if shutil.which(program) is None:
            skip(f"{program} is missing (scripts/install_deps.sh test)")
    probe = f"lucid{os.getpid()}-probe"
    made = ip("netns", "add", probe, must=False)
    if made.returncode:
        skip(f"no network namespace can be made here: {made.stderr.strip()}")
    ip("netns", "del", probe, must=False)


def control_groups():
    """Where control groups of the block controller are made."""
    blkio = pathlib.Path("/sys/fs/cgroup/blkio")
    return blkio if blkio.is_dir() else pathlib.Path("/sys/fs/cgroup")
