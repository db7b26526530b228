"""tests/cluster/slow_disk.py - a disk that writes a few bytes a second."""
import os
import pathlib
import shutil
import subprocess

from namespaces import control_groups


class SlowDisk:
    """A data folder on a disk of its own that writes and reads at most `bytes_per_second`. Linux with loop devices and the
    block controller of control groups, version 1 or 2."""

    MIB = 512

    def __init__(self, node, bytes_per_second):
        self.node = node
        self.image = node.folder / "disk.img"
        self.device = self.group = None
        self.mounted = False
        self.why_not = self._make(bytes_per_second)
        if self.why_not:
            self.end()

    def _make(self, bytes_per_second):
        for program in ("losetup", "mkfs.ext4", "mount"):
            if shutil.which(program) is None:
                return f"{program} is missing"
        groups = control_groups()
        version_1 = groups.name == "blkio"
        if not version_1 and not (groups / "cgroup.controllers").exists():
            return "there is no block controller of control groups"
        with open(self.image, "wb") as image:
            image.truncate(self.MIB << 20)
        if subprocess.run(["mkfs.ext4", "-q", self.image], capture_output=True).returncode:
            return "no file system can be made"
        made = subprocess.run(["losetup", "-f", "--show", self.image], capture_output=True, text=True)
        if made.returncode:
            return "no loop device: " + made.stderr.strip()
        self.device = made.stdout.strip()
        self.node.data.mkdir(exist_ok=True)
        if subprocess.run(["mount", self.device, self.node.data], capture_output=True).returncode:
            return "no file system can be mounted"
        self.mounted = True
        number = pathlib.Path(f"/sys/class/block/{pathlib.Path(self.device).name}/dev").read_text().strip()
        group = groups / f"{self.node.cluster.groups.name}{self.node.number}"
        try:
            group.mkdir()
            self.group = group
            if version_1:
                for file in ("blkio.throttle.write_bps_device", "blkio.throttle.read_bps_device"):
                    (group / file).write_text(f"{number} {bytes_per_second}")
            else:
                (groups / "cgroup.subtree_control").write_text("+io")
                (group / "io.max").write_text(f"{number} wbps={bytes_per_second} rbps={bytes_per_second}")
        except OSError as trouble:
            return f"control groups: {trouble}"
        return None

    def enter(self):
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def end(self):
        if self.mounted:
            subprocess.run(["umount", self.node.data], capture_output=True)
            self.mounted = False
        if self.device:
            subprocess.run(["losetup", "-d", self.device], capture_output=True)
            self.device = None
        if self.group:
            try:
                self.group.rmdir()
            except OSError:
                pass
            self.group = None
