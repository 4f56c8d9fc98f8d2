"""A folder that is missing, or lies elsewhere than before, is an alarm: never created anew, never taken for empty."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dropscribe.errors import OutOfOrder
from dropscribe.folders import FolderGuard, Place, place_of, same_place
from plain_user import plain_user_folder

ROOT = Place(device=0x801, is_mount=False, filesystem="ext4", fsid=11111, boot="boot 1", mount="/")
DISK = Place(device=0x811, is_mount=True, filesystem="ext4", fsid=22222, boot="boot 1", mount="/data")
BELOW = replace(DISK, is_mount=False)
NFS = Place(device=0x31, is_mount=False, filesystem="nfs4", fsid=0, boot="boot 1", mount="/share")
XFS = Place(device=0x811, is_mount=False, filesystem="xfs", fsid=0x811, boot="boot 1", mount="/data")
TMPFS = Place(device=0x40, is_mount=True, filesystem="tmpfs", fsid=33333, boot="boot 1", mount="/in")
RENUMBERED = {"device": 0x821}
REBOOTED = {"boot": "boot 2"}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (ROOT, ROOT),
        (ROOT, replace(ROOT, **REBOOTED)),
        (DISK, replace(DISK, **RENUMBERED)),
        (DISK, replace(DISK, **RENUMBERED, **REBOOTED)),
        (BELOW, replace(BELOW, **RENUMBERED, **REBOOTED)),
        (NFS, replace(NFS, device=0x32)),
        (NFS, replace(NFS, device=0x32, **REBOOTED)),
        (replace(NFS, is_mount=True), replace(NFS, is_mount=True, device=0x32, **REBOOTED)),
        (XFS, replace(XFS, device=0x801, fsid=0x801, **REBOOTED)),
        (TMPFS, replace(TMPFS, device=0x41, fsid=44444, **REBOOTED)),
    ],
    ids=[
        "nothing changed",
        "a reboot",
        "mounted again under another number",
        "a disk with another number after a reboot",
        "a folder below that disk",
        "a share mounted again by the automounter",
        "a folder of a share after a reboot",
        "a share after a reboot",
        "a disk without an id of its own, with another number after a reboot",
        "a memory disk after a reboot",
    ],
)
def test_a_folder_that_lies_where_it_lay_is_the_same(before: Place, now: Place) -> None:
    assert same_place(before, now)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (DISK, ROOT),
        (BELOW, ROOT),
        (DISK, replace(ROOT, **REBOOTED)),
        (BELOW, replace(ROOT, **REBOOTED)),
        (BELOW, replace(ROOT, device=BELOW.device, **REBOOTED)),
        (DISK, replace(DISK, device=0x821, fsid=55555)),
        (DISK, replace(DISK, device=0x821, fsid=55555, **REBOOTED)),
        (DISK, replace(DISK, fsid=55555, **REBOOTED)),
        (NFS, ROOT),
        (NFS, replace(ROOT, **REBOOTED)),
        (XFS, replace(XFS, device=0x801, fsid=0x801, mount="/", **REBOOTED)),
        (XFS, replace(XFS, device=0x821, fsid=0x821)),
        (TMPFS, replace(TMPFS, device=0x41, fsid=44444)),
        (DISK, replace(DISK, is_mount=False)),
    ],
    ids=[
        "an unmounted disk",
        "a folder below it",
        "a disk that is not there after a reboot",
        "a folder below it",
        "the same, and the numbers of the disks were exchanged",
        "another disk in its place",
        "another disk in its place after a reboot",
        "another disk under the same number",
        "an unmounted share",
        "a share that is not there after a reboot",
        "a disk without an id that is not there after a reboot",
        "another disk without an id in its place",
        "another memory disk in its place",
        "no mount point any more",
    ],
)
def test_a_folder_that_lies_elsewhere_is_another(before: Place, now: Place) -> None:
    assert not same_place(before, now)


class Memory(dict[bytes, str]):
    """What the ledger remembers of folders."""

    def guard(self, path: Path) -> FolderGuard:
        return FolderGuard(path, self.get, self.__setitem__)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def alarm(guard: FolderGuard) -> OutOfOrder:
    with pytest.raises(OutOfOrder) as raised:
        guard.check()
    assert raised.value.scope == f"folder:{guard.path}" and str(guard.path) in raised.value.message
    return raised.value


def test_a_folder_never_seen_is_created_and_remembered(tmp_path: Path, memory: Memory) -> None:
    folder = tmp_path / "new" / "inbox"

    memory.guard(folder).check()

    assert folder.is_dir() and list(memory) == [os.fsencode(folder)]


def test_a_folder_that_was_there_before_us_is_left_as_it_is(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"sound")

    memory.guard(tmp_path).check()

    assert [entry.name for entry in tmp_path.iterdir()] == ["talk.mp3"]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_folder_seen_before_that_is_missing_is_an_alarm_and_not_created(
    tmp_path: Path, memory: Memory, restarted: bool
) -> None:
    folder = tmp_path / "inbox"
    guard = memory.guard(folder)
    guard.check()
    folder.rmdir()
    if restarted:
        guard = memory.guard(folder)

    assert alarm(guard).code == "FolderMissing"
    assert not folder.exists()

    folder.mkdir()
    guard.check()


def test_a_folder_on_another_device_is_an_alarm_until_it_is_back(
    tmp_path: Path, elsewhere: Path, memory: Memory
) -> None:
    inbox, real = tmp_path / "inbox", tmp_path / "real"
    real.mkdir()
    inbox.symlink_to(real)
    guard = memory.guard(inbox)
    guard.check()
    remembered = dict(memory)

    inbox.unlink()
    inbox.symlink_to(elsewhere)
    assert alarm(guard).code == "FolderElsewhere"
    assert alarm(memory.guard(inbox)).code == "FolderElsewhere"
    assert memory == remembered

    inbox.unlink()
    inbox.symlink_to(real)
    guard.check()


def test_a_folder_found_again_after_a_reboot_is_remembered_as_it_lies_now(tmp_path: Path, memory: Memory) -> None:
    memory.guard(tmp_path).check()
    now = place_of(tmp_path)
    assert now is not None
    memory[os.fsencode(tmp_path)] = replace(now, boot="an earlier boot").text()

    memory.guard(tmp_path).check()

    assert memory[os.fsencode(tmp_path)] == now.text()


def test_a_file_in_the_place_of_a_folder_is_an_alarm(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "inbox").write_bytes(b"no folder")

    fault = alarm(memory.guard(tmp_path / "inbox"))

    assert fault.code == "FolderUnusable"
    assert "no folder" in fault.message and "move it away" in fault.remedy


def test_a_link_that_leads_nowhere_is_an_alarm_that_says_so(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "inbox").symlink_to(tmp_path / "unmounted")

    fault = alarm(memory.guard(tmp_path / "inbox"))

    assert fault.code == "FolderUnusable"
    assert "leads nowhere" in fault.message and "mount or create" in fault.remedy


def test_a_folder_that_cannot_be_looked_at_is_an_alarm_and_not_missing(memory: Memory) -> None:
    with plain_user_folder() as above:
        folder = above / "closed" / "inbox"
        memory.guard(folder).check()
        folder.parent.chmod(0)

        fault = alarm(memory.guard(folder))

    assert fault.code == "EACCES" and "Permission denied" in fault.message
    assert "the right" in fault.remedy


def test_a_folder_of_any_name_is_remembered(tmp_path: Path, memory: Memory) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n"))

    memory.guard(folder).check()
    memory.guard(folder).check()

    assert folder.is_dir()
