"""A file is taken from one read, bound to how it looked, and never while a writer holds it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import fastcrc
import pytest

from dropscribe.disk import Oddity
from dropscribe.errors import SourceChanged
from dropscribe.hashing import StillOpen, Stopped, held_for_writing, look_at, open_source, take
from dropscribe.model import Look
from plain_user import NOBODY, plain_user_folder

ODD_NAMES = [b"talk.mp3", b"line\nbreak.mp3", b"\xff\xfe\x80.mp3", b"n" * 251 + b".mp3", " 会议 é.mp3".encode()]


def put(root: Path, path: bytes, content: bytes = b"sound") -> Look:
    full = os.path.join(os.fsencode(root), path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(content)
    look = look_at(root, path)
    assert isinstance(look, Look)
    return look


def never() -> bool:
    return False


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("folder", [b"", b"a/\xf0\nb/"])
def test_a_file_of_any_name_gives_its_look_sha256_and_crc64(tmp_path: Path, folder: bytes, name: bytes) -> None:
    look = put(tmp_path, folder + name, b"123456789")

    fingerprint = take(tmp_path, folder + name, look, never)

    assert fingerprint.look == look
    assert fingerprint.sha256 == hashlib.sha256(b"123456789").hexdigest()
    assert fingerprint.crc64 == 0x995DC9BBDF1939FA


def test_a_file_of_several_pieces_is_hashed_as_a_whole(tmp_path: Path) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)
    look = put(tmp_path, b"long.wav", content)

    fingerprint = take(tmp_path, b"long.wav", look, never)

    assert fingerprint.sha256 == hashlib.sha256(content).hexdigest()
    assert fingerprint.crc64 == fastcrc.crc64.xz(content)


def test_a_file_that_was_replaced_by_its_equal_is_not_taken(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3", b"same")
    put(tmp_path, b"other", b"same")
    os.utime(tmp_path / "other", ns=(look.mtime_ns, look.mtime_ns))
    os.rename(tmp_path / "other", tmp_path / "talk.mp3")

    with pytest.raises(SourceChanged, match=r"talk\.mp3"):
        take(tmp_path, b"talk.mp3", look, never)


def test_a_file_that_grows_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3", b"x" * (2 * 1024 * 1024))

    def grows() -> bool:
        with open(tmp_path / "talk.mp3", "ab") as file:
            file.write(b"more")
        return False

    with pytest.raises(SourceChanged, match="while it was read"):
        take(tmp_path, b"talk.mp3", look, grows)


def test_a_file_that_is_cut_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3", b"x" * 1000)

    def shrinks() -> bool:
        os.truncate(tmp_path / "talk.mp3", 10)
        return False

    with pytest.raises(SourceChanged):
        take(tmp_path, b"talk.mp3", look, shrinks)


def test_bytes_changed_in_place_while_reading_are_noticed(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3", b"x" * 1000)

    def rewrites() -> bool:
        with open(tmp_path / "talk.mp3", "r+b") as file:
            file.write(b"y")
        os.utime(tmp_path / "talk.mp3", ns=(look.mtime_ns + 1, look.mtime_ns + 1))
        return False

    with pytest.raises(SourceChanged):
        take(tmp_path, b"talk.mp3", look, rewrites)


def test_reading_ends_as_soon_as_the_house_stops(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3", b"x" * (3 * 1024 * 1024))
    answers = iter([False, True])

    with pytest.raises(Stopped):
        take(tmp_path, b"talk.mp3", look, lambda: next(answers))


def test_a_file_that_a_writer_holds_open_is_not_finished(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3")

    with open(tmp_path / "talk.mp3", "ab"), pytest.raises(StillOpen, match=r"talk\.mp3"):
        take(tmp_path, b"talk.mp3", look, never)

    assert take(tmp_path, b"talk.mp3", look, never).look == look


def test_a_reader_does_not_count_as_a_writer(tmp_path: Path) -> None:
    put(tmp_path, b"talk.mp3")
    descriptor = open_source(tmp_path, b"talk.mp3")
    try:
        with open(tmp_path / "talk.mp3", "rb"):
            assert not held_for_writing(descriptor)
    finally:
        os.close(descriptor)


def test_a_file_system_that_knows_no_leases_gives_no_answer_and_no_error(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)  # a folder has no leases of this kind either
    try:
        assert not held_for_writing(descriptor)
    finally:
        os.close(descriptor)


def test_a_writer_that_comes_while_the_lease_is_held_does_not_kill_us(tmp_path: Path) -> None:
    put(tmp_path, b"talk.mp3")
    program = """
import os, sys
from dropscribe.hashing import read_lease
with read_lease(os.open(sys.argv[1], os.O_RDONLY)) as granted:
    assert granted
    try:
        os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
    except BlockingIOError:
        print("the writer was kept waiting")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "talk.mp3"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "the writer was kept waiting\n", "")


def test_a_lease_is_given_back_so_that_writers_need_not_wait(tmp_path: Path) -> None:
    put(tmp_path, b"talk.mp3")
    descriptor = open_source(tmp_path, b"talk.mp3")
    try:
        held_for_writing(descriptor)

        os.close(os.open(tmp_path / "talk.mp3", os.O_WRONLY | os.O_NONBLOCK))
    finally:
        os.close(descriptor)


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3")
    os.rename(tmp_path / "talk.mp3", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", tmp_path / "talk.mp3")

    with pytest.raises(SourceChanged):
        take(tmp_path, b"talk.mp3", look, never)
    assert look_at(tmp_path, b"talk.mp3") == Oddity("symlink", look_at_sentence(tmp_path))


def look_at_sentence(root: Path) -> str:
    oddity = look_at(root, b"talk.mp3")
    assert isinstance(oddity, Oddity)
    assert "symbolic link" in oddity.sentence
    return oddity.sentence


def test_a_link_among_the_folders_is_not_followed(tmp_path: Path) -> None:
    inbox, secret = tmp_path / "inbox", tmp_path / "secret"
    inbox.mkdir()
    look = put(secret, b"talk.mp3")
    os.symlink(secret, inbox / "a")

    with pytest.raises(SourceChanged):
        take(inbox, b"a/talk.mp3", look, never)
    with pytest.raises(OSError):
        open_source(inbox, b"a/talk.mp3")
    gone = look_at(inbox, b"a/talk.mp3")
    assert isinstance(gone, Oddity) and gone.kind == "gone"


def test_the_inbox_itself_may_be_a_link(tmp_path: Path) -> None:
    look = put(tmp_path / "real", b"talk.mp3")
    os.symlink(tmp_path / "real", tmp_path / "inbox")

    assert take(tmp_path / "inbox", b"talk.mp3", look, never).look == look


def test_a_fifo_in_the_files_place_does_not_hold_us(tmp_path: Path) -> None:
    look = put(tmp_path, b"talk.mp3")
    (tmp_path / "talk.mp3").unlink()
    os.mkfifo(tmp_path / "talk.mp3")

    with pytest.raises(SourceChanged):
        take(tmp_path, b"talk.mp3", look, never)


def test_a_file_that_is_gone_has_changed_but_a_missing_inbox_is_not_a_missing_file(tmp_path: Path) -> None:
    look = put(tmp_path / "inbox", b"talk.mp3")
    (tmp_path / "inbox" / "talk.mp3").unlink()

    with pytest.raises(SourceChanged):
        take(tmp_path / "inbox", b"talk.mp3", look, never)
    (tmp_path / "inbox").rmdir()
    with pytest.raises(FileNotFoundError):
        take(tmp_path / "inbox", b"talk.mp3", look, never)
    with pytest.raises(FileNotFoundError):
        look_at(tmp_path / "inbox", b"talk.mp3")


@pytest.mark.parametrize("path", [b"", b"/etc/passwd", b"../talk.mp3", b"a/../talk.mp3", b"a//b", b"./a"])
def test_a_path_that_could_lead_out_of_the_inbox_is_a_bug(tmp_path: Path, path: bytes) -> None:
    with pytest.raises(ValueError, match="within a folder"):
        look_at(tmp_path, path)


def test_taking_leaves_no_descriptor_open(tmp_path: Path) -> None:
    look = put(tmp_path, b"a/b/talk.mp3")
    before = len(os.listdir("/proc/self/fd"))

    take(tmp_path, b"a/b/talk.mp3", look, never)
    with pytest.raises(SourceChanged):
        take(tmp_path, b"a/b/gone.mp3", look, never)
    with pytest.raises(SourceChanged):
        take(tmp_path, b"a/x/gone.mp3", look, never)

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_may_not_be_read_is_told_from_one_that_changed() -> None:
    with plain_user_folder() as inbox:
        look = put(inbox, b"talk.mp3")
        os.chmod(inbox / "talk.mp3", 0)

        with pytest.raises(PermissionError):
            take(inbox, b"talk.mp3", look, never)


def test_the_file_of_another_user_is_taken_although_no_lease_can_be_asked_for() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to make a file of another user")
    with plain_user_folder() as inbox:
        os.seteuid(0)
        look = put(inbox, b"talk.mp3")
        os.seteuid(NOBODY)

        with open(inbox / "talk.mp3", "rb"):
            assert take(inbox, b"talk.mp3", look, never).look == look
