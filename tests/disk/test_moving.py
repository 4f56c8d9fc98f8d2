"""What moves is the very file that was heard; what another program put in its place stays."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.disk import Stopped, hide, look_at, place_source, put_back, remove_source, verify
from dropscribe.errors import SourceChanged
from dropscribe.model import Look

SOUND = b"sound" * 1000
SHA256 = hashlib.sha256(SOUND).hexdigest()
PRIVATE = b".dropscribe-0123abcd"
ODD_NAMES = [b"talk.mp3", b"a/line\nbreak.mp3", b"\xff/\xfe\x80.mp3", b"a/" + b"n" * 251 + b".mp3"]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture(params=["same disk", "another disk"])
def done(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param == "same disk":
        (tmp_path / "done").mkdir()
        yield tmp_path / "done"
    else:
        yield from _another_disk(tmp_path)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Path]:
    yield from _another_disk(tmp_path)


def _another_disk(tmp_path: Path) -> Iterator[Path]:
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def put(root: Path, path: bytes, content: bytes = SOUND) -> Look:
    full = os.path.join(os.fsencode(root), path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(content)
    look = look_at(root, path)
    assert isinstance(look, Look)
    return look


def files_in(root: Path) -> set[bytes]:
    top = os.fsencode(root)
    return {os.path.relpath(os.path.join(at, name), top) for at, _, names in os.walk(top) for name in names}


@pytest.mark.parametrize("path", ODD_NAMES)
def test_a_source_of_any_name_moves_whole_with_its_time_and_mode(inbox: Path, done: Path, path: bytes) -> None:
    put(inbox, path)
    full = os.path.join(os.fsencode(inbox), path)
    os.chmod(full, 0o640)
    os.utime(full, ns=(1_600_000_000_000_000_001, 1_600_000_000_000_000_002))
    look = look_at(inbox, path)
    assert isinstance(look, Look)

    private = hide(inbox, path, PRIVATE)
    assert files_in(inbox) == {private} and os.path.dirname(private) == os.path.dirname(path)
    assert verify(inbox, private, look)
    place_source(inbox, private, done, path, look, SHA256)

    moved = os.stat(os.path.join(os.fsencode(done), path))
    assert (files_in(inbox), files_in(done)) == (set(), {path})
    assert (moved.st_size, moved.st_mtime_ns, moved.st_mode & 0o777) == (len(SOUND), look.mtime_ns, 0o640)


def test_a_file_put_in_the_sources_place_is_recognised_and_put_back(inbox: Path) -> None:
    look = put(inbox, b"a/talk.mp3")
    put(inbox, b"other", b"another")
    os.rename(inbox / "other", inbox / "a/talk.mp3")

    private = hide(inbox, b"a/talk.mp3", PRIVATE)
    assert not verify(inbox, private, look)
    put_back(inbox, private, b"a/talk.mp3")

    assert files_in(inbox) == {b"a/talk.mp3"}
    assert (inbox / "a/talk.mp3").read_bytes() == b"another"


def test_a_link_put_in_the_sources_place_is_not_the_source(inbox: Path, tmp_path: Path) -> None:
    look = put(inbox, b"talk.mp3")
    os.rename(inbox / "talk.mp3", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", inbox / "talk.mp3")

    private = hide(inbox, b"talk.mp3", PRIVATE)

    assert not verify(inbox, private, look)
    put_back(inbox, private, b"talk.mp3")
    assert (inbox / "talk.mp3").is_symlink()


def test_putting_back_never_replaces_what_came_meanwhile(inbox: Path) -> None:
    put(inbox, b"talk.mp3", b"first")
    private = hide(inbox, b"talk.mp3", PRIVATE)
    put(inbox, b"talk.mp3", b"second")

    with pytest.raises(FileExistsError):
        put_back(inbox, private, b"talk.mp3")

    assert (inbox / "talk.mp3").read_bytes() == b"second"
    assert (inbox / os.fsdecode(PRIVATE)).read_bytes() == b"first"


def test_hiding_twice_says_what_it_found(inbox: Path) -> None:
    put(inbox, b"talk.mp3")
    hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(FileNotFoundError):
        hide(inbox, b"talk.mp3", PRIVATE)
    put(inbox, b"talk.mp3", b"new")
    with pytest.raises(FileExistsError):
        hide(inbox, b"talk.mp3", PRIVATE)

    assert (inbox / "talk.mp3").read_bytes() == b"new"
    assert (inbox / os.fsdecode(PRIVATE)).read_bytes() == SOUND


def test_a_hidden_file_that_is_gone_is_not_a_file_that_differs(inbox: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify(inbox, PRIVATE, Look(1, 1, 1))


def test_placing_never_replaces_what_stands_there(inbox: Path, done: Path) -> None:
    look = put(inbox, b"talk.mp3")
    put(done, b"talk.mp3", b"theirs")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    for resuming in (False, True):
        with pytest.raises(FileExistsError):
            place_source(inbox, private, done, b"talk.mp3", look, SHA256, resuming=resuming)

    assert (done / "talk.mp3").read_bytes() == b"theirs"
    assert files_in(inbox) == {private} and files_in(done) == {b"talk.mp3"}


def test_an_equal_file_of_another_source_is_not_taken_for_ours(inbox: Path, done: Path) -> None:
    look = put(inbox, b"talk.mp3")
    put(done, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(FileExistsError):
        place_source(inbox, private, done, b"talk.mp3", look, SHA256)


def test_a_move_that_was_done_but_not_recorded_is_found_done(inbox: Path, done: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)
    place_source(inbox, private, done, b"talk.mp3", look, SHA256)

    place_source(inbox, private, done, b"talk.mp3", look, SHA256, resuming=True)

    assert (files_in(inbox), files_in(done)) == (set(), {b"talk.mp3"})


def test_a_crash_between_copy_and_removal_is_finished(inbox: Path, far: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)
    put(far, b"talk.mp3")

    place_source(inbox, private, far, b"talk.mp3", look, SHA256, resuming=True)

    assert (files_in(inbox), files_in(far)) == (set(), {b"talk.mp3"})


def test_a_source_that_is_gone_can_not_be_placed(inbox: Path, done: Path) -> None:
    for resuming in (False, True):
        with pytest.raises(FileNotFoundError):
            place_source(inbox, PRIVATE, done, b"talk.mp3", Look(1, 1, 1), SHA256, resuming=resuming)

    assert files_in(done) == set()


def test_a_copy_is_compared_with_what_was_recognised(inbox: Path, far: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(SourceChanged):
        place_source(inbox, private, far, b"talk.mp3", look, hashlib.sha256(b"other").hexdigest())

    assert (files_in(inbox), files_in(far)) == ({private}, set())


def test_a_source_that_changes_while_it_is_copied_stays(inbox: Path, far: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    def grows() -> bool:
        with open(inbox / os.fsdecode(PRIVATE), "ab") as file:
            file.write(b"more")
        return False

    with pytest.raises(SourceChanged):
        place_source(inbox, private, far, b"talk.mp3", look, SHA256, stop=grows)

    assert (files_in(inbox), files_in(far)) == ({private}, set())


def test_a_copy_that_is_stopped_leaves_nothing_behind_and_can_be_done_again(inbox: Path, far: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(Stopped):
        place_source(inbox, private, far, b"a/talk.mp3", look, SHA256, stop=lambda: True)
    assert (files_in(inbox), files_in(far)) == ({private}, set())

    place_source(inbox, private, far, b"a/talk.mp3", look, SHA256)
    assert (files_in(inbox), files_in(far)) == (set(), {b"a/talk.mp3"})


def test_a_missing_done_folder_is_not_created(inbox: Path, tmp_path: Path) -> None:
    look = put(inbox, b"talk.mp3")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(FileNotFoundError):
        place_source(inbox, private, tmp_path / "unmounted", b"talk.mp3", look, SHA256)

    assert files_in(inbox) == {private} and not (tmp_path / "unmounted").exists()


def test_nothing_is_moved_through_a_link(inbox: Path, tmp_path: Path) -> None:
    look = put(inbox, b"talk.mp3")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "done").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "done/a")
    private = hide(inbox, b"talk.mp3", PRIVATE)

    with pytest.raises(NotADirectoryError):
        place_source(inbox, private, tmp_path / "done", b"a/talk.mp3", look, SHA256)
    os.symlink(inbox, tmp_path / "elsewhere/in")
    with pytest.raises(OSError):
        hide(tmp_path, b"elsewhere/in/" + PRIVATE, b".dropscribe-1")

    assert files_in(inbox) == {private}


def test_removing_is_done_once_and_again_is_fine(inbox: Path) -> None:
    put(inbox, b"a/talk.mp3")
    private = hide(inbox, b"a/talk.mp3", PRIVATE)

    for _ in range(2):
        remove_source(inbox, private)

    assert files_in(inbox) == set()


@pytest.mark.parametrize("resuming", [False, True])
def test_a_source_that_was_never_read_moves_by_its_look(inbox: Path, done: Path, resuming: bool) -> None:
    look = put(inbox, b"film.mp4")
    private = hide(inbox, b"film.mp4", PRIVATE)
    if resuming:  # a copy was placed, and the process died before the source went
        shutil.copy2(os.path.join(os.fsencode(inbox), private), os.fsencode(done / "film.mp4"))

    place_source(inbox, private, done, b"film.mp4", look, "", resuming=resuming)

    assert (files_in(inbox), files_in(done)) == (set(), {b"film.mp4"})
