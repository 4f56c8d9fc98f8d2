"""Folders that a thread keeps open while it works on one group."""

import os
import threading
from pathlib import Path

import pytest

from dropscribe.disk.kept_open import MOST, folders_kept_open
from dropscribe.disk.placing import make_folders, place, write_aside
from dropscribe.disk.sources import folder_at, look_at
from dropscribe.model import Look


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_within_a_block_a_folder_is_opened_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    with folders_kept_open():
        with folder_at(tmp_path, b"a") as first:
            pass
        with folder_at(tmp_path, b"a") as second, make_folders(tmp_path, b"a") as made:
            assert (second, made != second) == (first, True)


def test_after_the_block_nothing_is_left_open(tmp_path: Path) -> None:
    before = descriptors()

    with pytest.raises(FileNotFoundError), folders_kept_open():
        for number in range(3 * MOST):
            with make_folders(tmp_path, str(number).encode()):
                assert descriptors() <= before + MOST + 1
        with folder_at(tmp_path, b"missing"):
            pass

    assert descriptors() == before


def test_without_a_block_a_folder_is_open_only_while_it_is_used(tmp_path: Path) -> None:
    before = descriptors()

    with folder_at(tmp_path) as folder:
        assert os.listdir(folder) == []

    assert descriptors() == before


def test_a_block_is_its_threads_own(tmp_path: Path) -> None:
    others: list[int] = []

    def elsewhere() -> None:
        with folder_at(tmp_path) as folder:
            others.append(folder)

    with folders_kept_open(), folder_at(tmp_path) as mine:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    assert others != [mine]


def test_a_block_within_another_lasts_as_long_as_that(tmp_path: Path) -> None:
    with folders_kept_open():
        with folders_kept_open(), folder_at(tmp_path) as inner:
            pass
        with folder_at(tmp_path) as outer:
            assert outer == inner


def test_a_folder_that_is_exchanged_for_a_link_meanwhile_leads_nowhere_else(tmp_path: Path) -> None:
    outbox, elsewhere = tmp_path / "outbox", tmp_path / "elsewhere"
    elsewhere.mkdir()
    outbox.mkdir()

    with folders_kept_open():
        with make_folders(outbox, b"a"):
            pass
        os.rename(outbox / "a", tmp_path / "moved")
        (outbox / "a").symlink_to(elsewhere)
        with make_folders(outbox, b"a") as folder:
            place(write_aside(folder, "1", b"words"), (folder, b"talk.srt"))

    assert (os.listdir(elsewhere), os.listdir(tmp_path / "moved")) == ([], ["talk.srt"])


def test_the_next_group_finds_what_stands_there_then(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with folders_kept_open():
        look_at(tmp_path, b"a/talk.mp3")
    os.rename(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/talk.mp3").write_bytes(b"new")

    with folders_kept_open():
        assert isinstance(look_at(tmp_path, b"a/talk.mp3"), Look)
