"""Folders remember where they lay: one that is missing, or elsewhere, is an alarm, and never taken for empty."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dropscribe.disk import faults
from dropscribe.disk.faults import blames_folder
from dropscribe.disk.placing import make_root
from dropscribe.errors import OutOfOrder
from dropscribe.mounts import MOUNTINFO, NETWORK_FILESYSTEMS, Mount, deepest_mount, mark_of

RESTORE = "mount or restore it, or give dropscribe's user access; the work resumes by itself"
MOVED = "mount the disk; if it was moved on purpose, stop the daemon and run `dropscribe forget` with this folder"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Place:
    """Where a folder lies. Device numbers are given anew at each boot, so a file system is also known by its own id."""

    device: int
    is_mount: bool
    filesystem: str
    fsid: int
    boot: str
    mount: str = ""
    """The mount point that the folder lies below."""

    @property
    def has_lasting_id(self) -> bool:
        """Whether `fsid` names the file system itself: some have none, or make one up of the device at each mount."""
        return self.fsid not in (0, self.device) and self.filesystem not in ("overlay", "ramfs", "tmpfs")

    def text(self) -> str:
        return json.dumps(asdict(self))


def place_of(path: Path) -> Place | None:
    """Where `path` lies now; None where there is no folder."""
    mark = mark_of(path)
    if mark is None:
        return None
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    mount, fsid = _mount_of(path), os.statvfs(path).f_fsid
    # A bind mount of the same file system has the device of the folder that it hides.
    is_mount = mark.is_mount or mount.point == os.path.realpath(os.fsencode(path))
    return Place(mark.device, is_mount, mount.filesystem, fsid, boot, os.fsdecode(mount.point))


def _mount_of(path: Path) -> Mount:
    unknown = Mount(b"", "unknown")
    try:
        return deepest_mount(MOUNTINFO.read_bytes(), os.path.realpath(os.fsencode(path))) or unknown
    except OSError:
        return unknown


def same_place(before: Place, now: Place) -> bool:
    """Whether a folder is where it was: pure.

    Device numbers change with a reboot, and network shares get another at each mount. A file system without a lasting
    id is then known by its kind and its mount point.
    """
    lasting = before.has_lasting_id and now.has_lasting_id
    if lasting and before.fsid != now.fsid:
        return False
    if before.device == now.device:
        return before.is_mount == now.is_mount or before.boot != now.boot
    if lasting:
        return True
    if (before.filesystem, before.is_mount) != (now.filesystem, now.is_mount):
        return False
    renumbered = before.boot != now.boot or before.filesystem in NETWORK_FILESYSTEMS
    return renumbered and (before.is_mount or before.mount == now.mount)


class FolderGuard:
    """Looks at one folder before work that needs it. Blocking; for threads."""

    def __init__(
        self, path: Path, known: Callable[[bytes], str | None], remember: Callable[[bytes, str], None]
    ) -> None:
        """`known` and `remember` are the ledger's memory of folders."""
        self.path = path
        self._known = known
        self._remember = remember
        self._place: Place | None = None

    def check(self) -> None:
        """Create the folder if it was never seen.

        Raises:
            OutOfOrder: scope `folder:<path>`; it is missing, elsewhere, or cannot be looked at.
        """
        try:
            self._check()
        except FileNotFoundError as error:  # it went while it was looked at
            raise missing(self.path) from error
        except OSError as error:
            raise unusable(self.path, error) from error

    def _check(self) -> None:
        now = place_of(self.path)
        before = self._place or self._remembered()
        if before is None:
            self._first_time()
        elif now is None:
            raise missing(self.path)
        elif not same_place(before, now):
            raise elsewhere(self.path)
        else:
            self._keep(before, now)

    def _keep(self, before: Place, now: Place) -> None:
        """A folder found again is remembered as it lies now: one boot's numbers say little in the next but one."""
        if now != before:
            self._remember(os.fsencode(self.path), now.text())
        self._place = now

    def _remembered(self) -> Place | None:
        text = self._known(os.fsencode(self.path))
        return None if text is None else Place(**json.loads(text))

    def _first_time(self) -> None:
        """Its name is durable before it is remembered: a folder that a power cut took would be missing for ever."""
        make_root(self.path)
        now = place_of(self.path)
        if now is not None:
            self._remember(os.fsencode(self.path), now.text())
            self._place = now


def folder_fault(path: Path, code: str, what: str, remedy: str = RESTORE) -> OutOfOrder:
    """An alarm for one folder; everything else goes on."""
    return OutOfOrder(f"folder:{path}", code, f"the folder {path} cannot be used: {what}", remedy)


def unusable(path: Path, error: OSError) -> OutOfOrder:
    """An alarm for a folder that answers with an error, with what helps against this very error."""
    what = error.strerror or str(error)
    if not faults.is_disk_fault(error):
        no_folder = faults.no_folder(path)
        return folder_fault(path, "FolderUnusable", *(no_folder or (what,)))
    known = faults.folder_fault(error, str(path))
    return folder_fault(path, known.code, what, known.remedy)


def elsewhere(path: Path) -> OutOfOrder:
    """The alarm for a folder that lies on another disk."""
    return folder_fault(path, "FolderElsewhere", "it lies on another device than before", MOVED)


def missing(path: Path) -> OutOfOrder:
    """The alarm for a folder that was there."""
    return folder_fault(path, "FolderMissing", "it was there before and is missing now")


@contextmanager
def inbox_trouble(folder: Path) -> Iterator[None]:
    """An OSError that is not one file's is an alarm for the inbox."""
    try:
        yield
    except OSError as error:
        if not os.path.lexists(folder):
            raise missing(folder) from error
        raise unusable(folder, error) from error


class FolderTrouble:
    """An OSError inside that others would meet too is an alarm for this folder; no file is charged with it."""

    def __init__(self, folder: Path, scope: str = "") -> None:
        self._folder = folder
        self._scope = scope or f"folder:{folder}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and (blames_folder(error) or not _is_usable(self._folder)):
            raise replace(unusable(self._folder, error), scope=self._scope) from error


def _is_usable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True)
