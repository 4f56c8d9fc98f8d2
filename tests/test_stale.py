"""Error files that tell of what is no more: only what we wrote is removed, and only where it is known to be so."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dropscribe.errors import OutOfOrder
from dropscribe.folders import FolderGuard
from dropscribe.ledger.rows import StaleReason
from dropscribe.placement import reason_of
from dropscribe.stale import remove_stale
from examples import owed_media
from plain_user import plain_user_folder

AT = 1_795_168_800.75


def guard_of(failed: Path) -> FolderGuard:
    marks: dict[bytes, str] = {}
    guard = FolderGuard(failed, marks.get, marks.__setitem__)
    guard.check()
    return guard


def reason_at(path: Path, moved_to: Path | None = None) -> StaleReason:
    """An error file as we wrote it, and the row it belongs to."""
    media = owed_media(
        path=b"a/talk.mp3",
        state="failed",
        moved_to=None if moved_to is None else os.fsencode(moved_to),
        error_file=os.fsencode(path),
        code="DECODE_ERROR",
        message="it does not play",
        remedy="convert it",
        request_id="request-1",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(reason_of(media, AT))
    return StaleReason(media, os.fsencode(path), AT)


@pytest.fixture
def failed(tmp_path: Path) -> FolderGuard:
    return guard_of(tmp_path / "failed")


def test_a_stale_reason_goes(failed: FolderGuard) -> None:
    one = reason_at(failed.path / "a/talk.mp3.error.json")

    assert remove_stale(failed, [one]) == [one]

    assert os.listdir(failed.path / "a") == []


def test_one_that_is_gone_already_counts_as_gone(failed: FolderGuard) -> None:
    one = reason_at(failed.path / "talk.mp3.error.json")
    inner = reason_at(failed.path / "a/talk.mp3.error.json")
    for path in (one.path, inner.path):
        os.unlink(path)
    (failed.path / "a").rmdir()

    assert remove_stale(failed, [one, inner]) == [one, inner]


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.write_bytes(b"somebody's own"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.rename(path.with_name("real")), path.symlink_to("real")),
    ],
    ids=["edited", "foreign", "folder", "link"],
)
def test_what_a_person_made_of_it_stays_and_is_theirs(failed: FolderGuard, edit: Callable[[Path], object]) -> None:
    one = reason_at(failed.path / "talk.mp3.error.json")
    edit(Path(os.fsdecode(one.path)))
    before = {path: path.lstat() for path in failed.path.iterdir()}

    assert remove_stale(failed, [one]) == [one]

    assert {path: path.lstat() for path in failed.path.iterdir()} == before


def test_the_reason_of_a_source_that_lies_there_stays(failed: FolderGuard) -> None:
    source = failed.path / "talk.mp3"
    one = reason_at(failed.path / "talk.mp3.error.json", source)
    source.write_bytes(b"sound")

    assert remove_stale(failed, [one]) == []
    assert os.path.exists(one.path)

    source.unlink()
    assert remove_stale(failed, [one]) == [one]
    assert not os.path.exists(one.path)


def test_a_folder_that_is_missing_says_nothing_of_what_stands_in_it(failed: FolderGuard) -> None:
    one = reason_at(failed.path / "talk.mp3.error.json")
    failed.path.rename(failed.path.with_name("unmounted"))

    with pytest.raises(OutOfOrder, match="missing"):
        remove_stale(failed, [one])

    assert not failed.path.exists()


def test_a_folder_of_an_earlier_configuration_that_is_away_is_asked_again_another_day(
    failed: FolderGuard, tmp_path: Path
) -> None:
    one = reason_at(tmp_path / "earlier/talk.mp3.error.json")
    (tmp_path / "earlier").rename(tmp_path / "unmounted")
    assert remove_stale(failed, [one]) == []

    (tmp_path / "unmounted").rename(tmp_path / "earlier")
    assert remove_stale(failed, [one]) == [one]
    assert os.listdir(tmp_path / "earlier") == []


def test_a_link_in_the_place_of_a_folder_leads_to_no_removal_elsewhere(failed: FolderGuard, tmp_path: Path) -> None:
    one = reason_at(tmp_path / "elsewhere/talk.mp3.error.json")
    (failed.path / "a").symlink_to(tmp_path / "elsewhere")

    remove_stale(failed, [replace(one, path=os.fsencode(failed.path / "a/talk.mp3.error.json"))])

    assert os.listdir(tmp_path / "elsewhere") == ["talk.mp3.error.json"]


def test_a_reason_that_cannot_be_removed_stays_and_a_folder_in_which_none_can_be_is_blamed() -> None:
    with plain_user_folder() as root:
        failed = guard_of(root / "failed")
        one, other = (reason_at(failed.path / name) for name in ("a/talk.mp3.error.json", "talk.mp3.error.json"))
        (failed.path / "a").chmod(0o555)
        assert remove_stale(failed, [one, other]) == [other]

        again = reason_at(failed.path / "talk.mp3.error.json")
        failed.path.chmod(0o555)
        with pytest.raises(OutOfOrder, match="Permission denied"):
            remove_stale(failed, [again])
