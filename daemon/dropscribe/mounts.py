"""What a folder lies on: its file system's type, and the mark by which an unmounted disk is noticed."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

NETWORK_FILESYSTEMS = frozenset(
    {
        "9p",
        "afp_client",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fhgfs",
        "gfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "webdav",
    }
) | frozenset(
    "fuse." + name
    for name in (
        "afp",
        "ceph",
        "ceph-fuse",
        "cephfs",
        "curlftpfs",
        "davfs",
        "dbxfs",
        "gcsfuse",
        "geesefs",
        "glusterfs",
        "goofys",
        "gvfsd-fuse",
        "juicefs",
        "kio-fuse",
        "mfs",
        "moosefs",
        "mount-s3",
        "mountpoint-s3",
        "nfs",
        "ossfs",
        "ossfs2",
        "rclone",
        "s3fs",
        "s3ql",
        "seaweedfs",
        "smbnetfs",
        "sshfs",
        "vmhgfs-fuse",
        "webdavfs",
        "xtreemfs",
    )
)
"""Types whose files another machine (or the host of this one) may change without this kernel's knowing."""

_OCTAL = re.compile(rb"\\([0-7]{3})")

KERNEL_FILESYSTEMS = frozenset(
    {
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "securityfs",
        "sysfs",
        "tracefs",
    }
)
"""Those of /proc, /sys and /dev: they show the kernel, and keep no files."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    point: bytes
    filesystem: str


@dataclass(frozen=True, slots=True)
class FolderMark:
    """By what a folder is known again: another device, or a mount point that is none any more, is another folder."""

    device: int
    is_mount: bool


def parse_mountinfo(text: bytes) -> Iterator[Mount]:
    """The mounts that /proc/self/mountinfo tells, in its order; lines that are not understood are left out."""
    for line in text.split(b"\n"):
        before, dash, after = line.partition(b" - ")
        fields = before.split(b" ")
        if dash and len(fields) >= 6:
            yield Mount(_unescape(fields[4]), after.split(b" ")[0].decode("ascii", "replace"))


def _unescape(field: bytes) -> bytes:
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field)


def deepest_mount(text: bytes, real: bytes) -> Mount | None:
    """The mount that holds the absolute path `real`; of several on one point, the last (it hides the others)."""
    best = None
    for mount in parse_mountinfo(text):
        if _contains(mount.point, real) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def _contains(point: bytes, real: bytes) -> bool:
    return real == point or real.startswith(point.rstrip(b"/") + b"/")


def filesystem_type(path: Path) -> str:
    """The type that the kernel names (`ext4`, `nfs4`, `fuse.sshfs`) for `path` or its nearest parent that exists.

    `unknown` where /proc does not tell.
    """
    try:
        mount = deepest_mount(MOUNTINFO.read_bytes(), _nearest_existing(os.fsencode(path)))
    except OSError:
        return "unknown"
    return mount.filesystem if mount else "unknown"


def _nearest_existing(path: bytes) -> bytes:
    real = os.path.realpath(path)
    while not os.path.lexists(real):
        real = os.path.dirname(real)
    return real


def is_network(path: Path) -> bool:
    """Whether changes may come from another machine: then there are no events, no leases and no reliable locks."""
    return filesystem_type(path) in NETWORK_FILESYSTEMS


def mark_of(path: Path) -> FolderMark | None:
    """The mark of the folder at `path` (links followed); None where there is none. Raises OSError for other faults."""
    try:
        real = os.path.realpath(path, strict=True)
        if not os.path.isdir(real):
            return None
        return FolderMark(os.stat(real).st_dev, os.path.ismount(real))
    except (FileNotFoundError, NotADirectoryError):
        return None
