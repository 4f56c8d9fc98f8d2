"""On what a folder lies: read from the kernel's own list, and known again after a restart."""

import os
from pathlib import Path

import pytest

from dropscribe.mounts import FolderMark, deepest_mount, filesystem_type, is_network, mark_of, parse_mountinfo

MOUNTINFO = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:40 / /srv/my\040media rw shared:5 master:1 - nfs4 server:/export rw,vers=4.2
41 40 0:41 / /srv/my\040media/inbox\012\134x rw - fuse.sshfs me@host: rw
42 27 8:1 / /mnt rw - xfs /dev/sda1 rw
43 42 0:43 / /mnt rw - tmpfs tmpfs rw
not a mount line
"""


@pytest.mark.parametrize(
    ("path", "filesystem"),
    [
        (b"/", "ext4"),
        (b"/home/me", "ext4"),
        (b"/srv/my media", "nfs4"),
        (b"/srv/my media/a/b", "nfs4"),
        (b"/srv/my media 2", "ext4"),
        (b"/srv/my media/inbox\n\\x/a", "fuse.sshfs"),
        (b"/mnt/a", "tmpfs"),
    ],
)
def test_the_deepest_mount_holds_a_path_and_of_two_on_one_point_the_later(path: bytes, filesystem: str) -> None:
    mount = deepest_mount(MOUNTINFO, path)

    assert mount is not None and mount.filesystem == filesystem


def test_lines_that_are_not_understood_are_left_out() -> None:
    assert len(list(parse_mountinfo(MOUNTINFO))) == 6
    assert deepest_mount(b"", b"/srv") is None


def test_the_type_of_real_folders_is_what_the_kernel_says() -> None:
    assert filesystem_type(Path("/proc/self")) == "proc"
    assert not is_network(Path("/proc"))


def test_a_path_that_does_not_exist_lies_where_its_nearest_parent_lies(tmp_path: Path) -> None:
    assert filesystem_type(tmp_path / "not" / "there") == filesystem_type(tmp_path)


def test_a_link_lies_where_it_points_to(tmp_path: Path) -> None:
    os.symlink("/proc", tmp_path / "link")

    assert filesystem_type(tmp_path / "link") == "proc"


def test_a_folder_is_marked_by_its_device_and_whether_it_is_a_mount_point(tmp_path: Path) -> None:
    assert mark_of(tmp_path) == FolderMark(os.stat(tmp_path).st_dev, is_mount=False)
    proc = mark_of(Path("/proc"))
    assert proc is not None and proc.is_mount


def test_what_is_missing_or_no_folder_has_no_mark(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.symlink("nowhere", tmp_path / "dangling")

    assert mark_of(tmp_path / "missing") is None
    assert mark_of(tmp_path / "file") is None
    assert mark_of(tmp_path / "file" / "below") is None
    assert mark_of(tmp_path / "dangling") is None
