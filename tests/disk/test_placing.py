"""Files of our own appear whole, under a name that nobody had, or not at all."""

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dropscribe.disk import content_sha256, make_folders, place, replace, sha256_within, sync_folder, write_aside
from dropscribe.disk.placing import way_down
from dropscribe.disk.renaming import (
    Name,
    rename_by_link,
    rename_over_placeholder,
    rename_plainly,
    rename_to_private,
    rename_without_replacing,
)

ODD_NAMES = [b"talk.json", b"line\nbreak.json", b"\xff\xfe\x80.json", b"n" * 250 + b".json"]
WAYS = [rename_without_replacing, rename_by_link, rename_over_placeholder]
Rename = Callable[[Name, Name], None]


def names_in(folder: Path) -> set[str]:
    return set(os.listdir(folder))


def make_the_folder(root: Path, relative: bytes) -> None:
    with make_folders(root, relative):
        pass


def aside(folder: Path, tag: str, data: bytes) -> bytes:
    """The path of what was written aside there."""
    with make_folders(folder, b"") as descriptor:
        _, name = write_aside(descriptor, tag, data)
    return os.path.join(os.fsencode(folder), name)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_output_is_written_aside_and_then_placed_under_its_name(tmp_path: Path, name: bytes) -> None:
    target = os.path.join(os.fsencode(tmp_path), name)

    temp = aside(tmp_path, "7-1", b"words")
    assert names_in(tmp_path) == {".dropscribe-7-1.tmp"}
    place((None, temp), (None, target))

    assert os.listdir(os.fsencode(tmp_path)) == [name]
    assert Path(os.fsdecode(target)).read_bytes() == b"words"


def test_an_output_gets_the_umask_of_the_process(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        temp = aside(tmp_path, "7", b"")
    finally:
        os.umask(before)

    assert os.stat(temp).st_mode & 0o777 == 0o640


def test_a_leftover_of_a_crash_is_replaced_and_a_link_there_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    os.symlink(tmp_path / "precious", tmp_path / ".dropscribe-7.tmp")

    temp = aside(tmp_path, "7", b"new")

    assert Path(os.fsdecode(temp)).read_bytes() == b"new"
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_a_write_that_fails_midway_leaves_nothing_behind(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError):
            aside(tmp_path, "7", b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("rename", WAYS)
def test_nothing_that_stands_at_the_target_is_ever_replaced(tmp_path: Path, rename: Rename) -> None:
    temp = aside(tmp_path, "7", b"ours")
    standing: dict[bytes, Callable[[bytes], None]] = {
        b"file": lambda path: Path(os.fsdecode(path)).write_bytes(b"theirs") and None,
        b"empty": lambda path: Path(os.fsdecode(path)).touch(),
        b"folder": os.mkdir,
        b"dangling": lambda path: os.symlink(b"nowhere", path),
    }
    for name, make in standing.items():
        target = os.path.join(os.fsencode(tmp_path), name)
        make(target)
        before = os.lstat(target)

        with pytest.raises(FileExistsError):
            rename((None, temp), (None, target))

        assert os.path.samestat(before, os.lstat(target))
    assert Path(os.fsdecode(temp)).read_bytes() == b"ours"
    assert (tmp_path / "file").read_bytes() == b"theirs"


@pytest.mark.parametrize("rename", [*WAYS, rename_to_private, rename_plainly])
@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_way_of_renaming_moves_the_very_file(tmp_path: Path, rename: Rename, name: bytes) -> None:
    temp = aside(tmp_path, "7", b"ours")
    inode = os.stat(temp).st_ino
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        rename((folder, b".dropscribe-7.tmp"), (folder, name))
    finally:
        os.close(folder)

    assert os.listdir(os.fsencode(tmp_path)) == [name]
    assert os.stat(os.path.join(os.fsencode(tmp_path), name)).st_ino == inode


@pytest.mark.parametrize("rename", [*WAYS, rename_to_private, rename_plainly])
def test_what_is_gone_can_not_be_placed_and_leaves_no_name_behind(tmp_path: Path, rename: Rename) -> None:
    with pytest.raises(FileNotFoundError):
        rename((None, os.fsencode(tmp_path / "gone")), (None, os.fsencode(tmp_path / "talk.json")))

    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("rename", [rename_without_replacing, rename_by_link])
def test_a_crash_between_link_and_unlink_is_finished_by_the_next_try(tmp_path: Path, rename: Rename) -> None:
    temp = aside(tmp_path, "7", b"ours")
    os.link(temp, tmp_path / "talk.json")

    rename((None, temp), (None, os.fsencode(tmp_path / "talk.json")))

    assert names_in(tmp_path) == {"talk.json"}


@pytest.mark.parametrize("rename", [rename_to_private, rename_plainly])
def test_a_private_name_that_is_taken_is_not_replaced(tmp_path: Path, rename: Rename) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"new")
    (tmp_path / ".dropscribe-1").write_bytes(b"old")

    with pytest.raises(FileExistsError):
        rename((None, os.fsencode(tmp_path / "talk.mp3")), (None, os.fsencode(tmp_path / ".dropscribe-1")))

    assert (tmp_path / ".dropscribe-1").read_bytes() == b"old"


@pytest.mark.parametrize("rename", WAYS)
def test_of_two_that_place_at_once_one_wins_and_the_other_is_told(tmp_path: Path, rename: Rename) -> None:
    target = os.fsencode(tmp_path / "talk.json")
    temps = [aside(tmp_path, str(number), b"%d" % number) for number in range(8)]
    start, losers = threading.Barrier(len(temps)), []

    def race(temp: bytes) -> None:
        start.wait()
        try:
            rename((None, temp), (None, target))
        except FileExistsError:
            losers.append(temp)

    threads = [threading.Thread(target=race, args=(temp,)) for temp in temps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (winner,) = set(temps) - set(losers)
    assert (tmp_path / "talk.json").read_bytes() == b"%d" % temps.index(winner)
    assert all(os.path.exists(loser) for loser in losers) and not os.path.exists(winner)


def test_our_own_output_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_bytes(b"old")

    replace((None, aside(tmp_path, "7", b"new")), (None, os.fsencode(tmp_path / "talk.json")))
    sync_folder(tmp_path)

    assert (tmp_path / "talk.json").read_bytes() == b"new"
    assert names_in(tmp_path) == {"talk.json"}


def test_folders_are_created_below_the_root_and_again_is_fine(tmp_path: Path) -> None:
    made = os.fsencode(tmp_path) + b"/a/\xff\n/c"
    for _ in range(2):
        with make_folders(tmp_path, b"a/\xff\n/c") as folder:
            assert os.path.samestat(os.fstat(folder), os.stat(made))

    with make_folders(tmp_path, b"") as folder:
        assert os.path.samestat(os.fstat(folder), os.stat(tmp_path))


def test_the_way_down_to_a_folder_is_every_folder_from_the_root() -> None:
    assert way_down("/out", b"a/b") == [b"/out", b"/out/a", b"/out/a/b"]
    assert way_down("/out", b"") == [b"/out"]


def test_the_root_itself_is_never_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_the_folder(tmp_path / "unmounted", b"a")

    assert names_in(tmp_path) == set()


def test_folders_are_not_made_through_a_link_or_over_a_file(tmp_path: Path) -> None:
    outbox, elsewhere = tmp_path / "outbox", tmp_path / "elsewhere"
    outbox.mkdir()
    elsewhere.mkdir()
    os.symlink(elsewhere, outbox / "link")
    os.symlink("nowhere", outbox / "dangling")
    (outbox / "file").write_bytes(b"")

    for name in (b"link", b"dangling", b"file"):
        with pytest.raises(NotADirectoryError, match=name.decode()):
            make_the_folder(outbox, name + b"/a")

    assert names_in(elsewhere) == set()


def test_many_threads_may_make_the_same_folders(tmp_path: Path) -> None:
    faults: list[OSError] = []

    def make() -> None:
        try:
            make_the_folder(tmp_path, b"a/b/c/d")
        except OSError as error:
            faults.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []


def test_the_content_of_an_output_tells_whether_a_person_edited_it(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    os.symlink(tmp_path / "abc", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")

    assert content_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content_sha256(tmp_path / "missing") is None
    assert content_sha256(tmp_path / "link") == content_sha256(tmp_path / "pipe") == content_sha256(tmp_path) == ""


def test_a_file_that_is_too_large_to_be_ours_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "endless").touch()
    os.truncate(tmp_path / "endless", 2**40)

    assert content_sha256(tmp_path / "endless") == ""


def test_content_behind_a_linked_folder_is_not_read(tmp_path: Path) -> None:
    outbox, elsewhere = tmp_path / "outbox", tmp_path / "elsewhere"
    outbox.mkdir()
    elsewhere.mkdir()
    (elsewhere / "talk.json").write_bytes(b"abc")
    os.symlink(elsewhere, outbox / "a")

    with pytest.raises(NotADirectoryError):
        sha256_within(outbox, b"a/talk.json")
