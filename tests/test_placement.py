"""Outputs and sources into place: what stands there is judged at the last moment, and the right folder is blamed."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dropscribe.boundaries import Phase, observe
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.moving import Unsynced
from dropscribe.disk.sources import look_at
from dropscribe.dispose import Disposal, MoveTo, Remove
from dropscribe.errors import OutOfOrder
from dropscribe.ledger.rows import OwedMedia, PlannedOutput, Reservation
from dropscribe.model import Look, MediaState
from dropscribe.placement import dispose, place_all, place_first, sync_moves, write_error_file
from dropscribe.planning import Planned, Rendered, Wish, fit
from examples import inbox_settings, owed_media
from plain_user import plain_user_folder

SRT, JSON = b"subtitles", b"{}"


@pytest.fixture
def inbox(tmp_path: Path) -> InboxSettings:
    return inbox_in(tmp_path)


@pytest.fixture(autouse=True)
def nobody_observes() -> Iterator[None]:
    yield
    observe(None)


def inbox_in(root: Path) -> InboxSettings:
    folders = {name: root / name for name in ("inbox", "outbox", "done", "failed")}
    for folder in folders.values():
        folder.mkdir()
    return inbox_settings(root)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def owed(inbox: InboxSettings, state: MediaState = "delivering", name: str = "talk.mp3") -> OwedMedia:
    path = inbox.inbox / name
    path.write_bytes(b"sound")
    look = look_at(inbox.inbox, os.fsencode(name))
    assert isinstance(look, Look)
    path = os.fsencode(name)
    return owed_media(path=path, look=look, sha256=sha256(b"sound"), state=state)


def plan(inbox: InboxSettings, replaces: str = "") -> Planned:
    texts = {"srt": SRT, "json": JSON}
    outputs = tuple(
        PlannedOutput(os.fsencode(inbox.outbox / f"talk.{name}"), name, sha256(text), replaces)
        for name, text in texts.items()
    )
    return Planned(Rendered(owed(inbox), texts), Reservation(7, outputs, None), frozenset())


def at_the_first(step: str, phase: Phase, act: "list[tuple[Path, bytes]]") -> None:
    def see(name: str, now: Phase) -> None:
        if (name, now) == (step, phase) and act:
            path, content = act.pop()
            path.write_bytes(content)

    observe(see)


def test_where_one_output_cannot_be_written_nothing_of_the_others_is_left(inbox: InboxSettings) -> None:
    obstacle = inbox.outbox / ".dropscribe-7-json.tmp"
    obstacle.mkdir()

    with pytest.raises(OSError):
        place_first(inbox, plan(inbox))

    assert list(inbox.outbox.iterdir()) == [obstacle]


def test_an_edit_made_between_the_plan_and_the_placing_is_not_overwritten(inbox: InboxSettings) -> None:
    srt = inbox.outbox / "talk.srt"
    for path in (srt, inbox.outbox / "talk.json"):
        path.write_bytes(b"ours")
    at_the_first("deliver.place", "before", [(srt, b"corrected by hand")])

    assert place_all(inbox, [plan(inbox, sha256(b"ours"))], {}) == ([], {7: None})

    assert srt.read_bytes() == b"corrected by hand"
    assert list(inbox.outbox.glob(".*")) == []


def test_an_output_of_ours_that_was_removed_since_the_plan_is_written_again(inbox: InboxSettings) -> None:
    place_all(inbox, [plan(inbox, sha256(b"ours"))], {})

    assert (inbox.outbox / "talk.json").read_bytes() == JSON


@pytest.mark.parametrize(("foreign", "left"), [("talk.srt", {"talk.srt"}), ("talk.json", {"talk.json"})])
def test_only_what_this_delivery_placed_is_removed_when_its_names_change(
    inbox: InboxSettings, foreign: str, left: set[str]
) -> None:
    """What another one placed there may have the very same content."""
    one = plan(inbox)
    (inbox.outbox / foreign).write_bytes(SRT if foreign.endswith("srt") else JSON)
    unplaced: dict[int, frozenset[bytes]] = {}
    assert place_all(inbox, [one], unplaced) == ([], {7: None})

    wish = Wish(inbox, one.rendered, one.reservation.outputs, unplaced[7])
    wish.next()
    assert fit(wish, {}, set()) is not None

    assert set(os.listdir(inbox.outbox)) == left


def test_a_fault_of_one_file_does_not_forget_what_another_one_of_its_group_did_not_place(inbox: InboxSettings) -> None:
    first, second = plan(inbox), plan(inbox)
    elsewhere = [replace(one, path=one.path.replace(b"talk", b"other")) for one in second.reservation.outputs]
    second = replace(second, reservation=Reservation(8, tuple(elsewhere), None))
    (inbox.outbox / ".dropscribe-8-json.tmp").mkdir()  # nothing can be written aside for the second
    (inbox.outbox / "talk.srt").write_bytes(SRT)
    unplaced: dict[int, frozenset[bytes]] = {}

    with pytest.raises(OSError):
        place_all(inbox, [second, first], unplaced)

    assert unplaced == {7: frozenset(output.path for output in first.reservation.outputs)}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that is none of ours, with files that are named as ours are and hold what ours hold."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name, content in {"talk.srt": SRT, "talk.json": JSON, "talk.mp3": b"sound"}.items():
        (folder / name).write_bytes(content)
    (folder / "talk.mp3.error.json").write_text(json.dumps({"inbox": "talks", "source": "a/talk.mp3"}))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


def exchange_at(step: str, folder: Path, elsewhere: Path) -> None:
    """Put a link to `elsewhere` in the folder's place as `step` is about to happen."""

    def see(name: str, now: Phase) -> None:
        if (name, now) == (step, "before") and not folder.is_symlink():
            folder.rename(folder.with_name("pulled away"))
            folder.symlink_to(elsewhere)

    observe(see)


def in_a_folder(inbox: InboxSettings, replaces: str = "") -> Planned:
    flat = plan(inbox, replaces)
    within = os.fsencode(inbox.outbox / "a")
    outputs = tuple(
        replace(one, path=os.path.join(within, os.path.basename(one.path))) for one in flat.reservation.outputs
    )
    return replace(flat, reservation=replace(flat.reservation, outputs=outputs))


@pytest.mark.parametrize("replaces", ["", sha256(SRT)], ids=["new", "over our own"])
@pytest.mark.parametrize("step", ["deliver.write-aside", "deliver.place", "deliver.sync-folders"])
def test_a_folder_that_is_exchanged_for_a_link_leads_no_output_elsewhere(
    inbox: InboxSettings, elsewhere: Path, step: str, replaces: str
) -> None:
    before = contents(elsewhere)
    (inbox.outbox / "a").mkdir()
    exchange_at(step, inbox.outbox / "a", elsewhere)

    with suppress(OutOfOrder, NotADirectoryError):  # the next try plans anew, and names the obstacle
        place_all(inbox, [in_a_folder(inbox, replaces)], {})

    assert (inbox.outbox / "a").is_symlink()
    assert contents(elsewhere) == before


def test_a_link_in_the_place_of_a_folder_is_an_obstacle_that_is_named(inbox: InboxSettings, elsewhere: Path) -> None:
    (inbox.outbox / "a").symlink_to(elsewhere)

    placed, stuck = place_all(inbox, [in_a_folder(inbox)], {})

    assert placed == []
    assert "a link or a file of this name stands in its place" in str(stuck[7])


def test_an_error_file_is_not_written_through_a_folder_that_is_exchanged_for_a_link(
    inbox: InboxSettings, elsewhere: Path
) -> None:
    before = contents(elsewhere)
    (inbox.inbox / "a").mkdir()
    media = owed(inbox, "failing", "a/talk.mp3")
    (inbox.failed / "a").mkdir()
    exchange_at("deliver.error-file", inbox.failed / "a", elsewhere)

    write_error_file(inbox, media, os.fsencode(inbox.failed / "a/talk.mp3.error.json"), 0.0)

    assert (inbox.failed / "a").is_symlink()
    assert contents(elsewhere) == before


@pytest.mark.parametrize("exchanged", ["inbox", "done"])
@pytest.mark.parametrize("step", ["source.hide", "source.move"])
def test_no_file_elsewhere_is_moved_when_a_folder_is_exchanged_for_a_link(
    inbox: InboxSettings, elsewhere: Path, step: str, exchanged: str
) -> None:
    before = contents(elsewhere)
    (inbox.inbox / "a").mkdir()
    media = owed(inbox, name="a/talk.mp3")
    assert isinstance(inbox.done, Path)
    (inbox.done / "a").mkdir()
    exchange_at(step, (inbox.inbox if exchanged == "inbox" else inbox.done) / "a", elsewhere)

    with suppress(OutOfOrder):
        dispose(inbox, media, MoveTo(inbox.done, os.fsencode(inbox.done / "a/talk.mp3"), False), "0123", {})

    assert contents(elsewhere) == before
    left = [path for path in inbox.inbox.parent.rglob("*") if path.is_file() and elsewhere not in path.parents]
    assert [path.read_bytes() for path in left] == [b"sound"]


def test_what_stands_behind_a_link_is_not_removed_as_an_output_that_was_outgrown(
    inbox: InboxSettings, elsewhere: Path
) -> None:
    before = contents(elsewhere)
    one = in_a_folder(inbox)
    (inbox.outbox / "a").symlink_to(elsewhere)

    wish = Wish(inbox, one.rendered, one.reservation.outputs, frozenset())
    wish.next()
    fit(wish, {}, set())

    assert contents(elsewhere) == before


def test_a_target_in_a_folder_that_is_not_ours_any_more_is_used_on(inbox: InboxSettings, tmp_path: Path) -> None:
    """`done` was changed between the reservation and the move."""
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    assert isinstance(inbox.done, Path)

    found = dispose(inbox, owed(inbox), MoveTo(inbox.done, os.fsencode(earlier / "talk.mp3"), True), "0123", {})

    assert found == Disposal(True)
    assert contents(earlier) == {"talk.mp3": b"sound"}


def test_an_error_file_nested_beyond_reason_speaks_of_nobody(inbox: InboxSettings) -> None:
    path = inbox.failed / "talk.mp3.error.json"
    path.write_bytes(b"[" * 200_000)

    with pytest.raises(FileExistsError):
        write_error_file(inbox, owed(inbox, "failing"), os.fsencode(path), 0.0)


def test_an_error_file_replaces_only_one_of_the_same_source(inbox: InboxSettings) -> None:
    path = inbox.failed / "talk.mp3.error.json"
    theirs = json.dumps({"inbox": "others", "source": "talk.mp3"})
    path.write_text(theirs)
    media = owed(inbox, "failing")

    with pytest.raises(FileExistsError):
        write_error_file(inbox, media, os.fsencode(path), 0.0)
    assert path.read_text() == theirs and os.listdir(inbox.failed) == [path.name]

    path.write_text(json.dumps({"inbox": "talks", "source": "talk.mp3"}))
    write_error_file(inbox, media, os.fsencode(path), 0.0)
    assert json.loads(path.read_bytes())["attempts"] == 1


def to_done(inbox: InboxSettings) -> MoveTo:
    assert isinstance(inbox.done, Path)
    return MoveTo(inbox.done, os.fsencode(inbox.done / "talk.mp3"), False)


def test_a_fault_in_placing_a_source_is_of_the_folder_it_goes_to(inbox: InboxSettings) -> None:
    assert isinstance(inbox.done, Path)
    inbox.done.rmdir()

    with pytest.raises(OutOfOrder) as raised:
        dispose(inbox, owed(inbox), to_done(inbox), "0123", {})

    assert raised.value.scope == f"folder:{inbox.done}"


def test_a_fault_in_hiding_a_source_has_a_scope_that_reading_the_inbox_does_not_close() -> None:
    with plain_user_folder() as folder:
        inbox = inbox_in(folder)
        media = owed(inbox)
        inbox.inbox.chmod(0o555)

        with pytest.raises(OutOfOrder) as raised:
            dispose(inbox, media, to_done(inbox), "0123", {})

        assert raised.value.scope == f"moving:{inbox.inbox}"


def test_a_move_names_the_folders_that_are_to_be_synced_before_it_is_recorded(inbox: InboxSettings) -> None:
    assert isinstance(inbox.done, Path)
    unsynced: Unsynced = {}

    dispose(inbox, owed(inbox), to_done(inbox), "0123", unsynced)

    assert unsynced == {os.fsencode(inbox.done): inbox.done, os.fsencode(inbox.inbox): inbox.inbox}
    assert os.listdir(inbox.done) == ["talk.mp3"]


def test_a_move_that_an_earlier_try_did_not_sync_is_synced_by_the_next(inbox: InboxSettings) -> None:
    assert isinstance(inbox.done, Path)
    media = owed(inbox)
    dispose(inbox, media, to_done(inbox), "0123", {})
    unsynced: Unsynced = {}

    found = dispose(inbox, media, replace(to_done(inbox), resuming=True), "0123", unsynced)

    assert found == Disposal(True)
    assert unsynced == {os.fsencode(folder): folder for folder in (inbox.done, inbox.inbox)}


def test_a_removal_that_an_earlier_try_did_not_sync_is_synced_by_the_next(inbox: InboxSettings) -> None:
    media = owed(inbox)
    dispose(inbox, media, Remove(), "0123", {})
    unsynced: Unsynced = {}

    found = dispose(inbox, media, Remove(), "0123", unsynced)

    assert found.final
    assert unsynced == {os.fsencode(inbox.inbox): inbox.inbox}


def test_where_sources_were_is_synced_after_all_the_places_where_they_are_now(
    inbox: InboxSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(inbox.done, Path)
    unsynced: Unsynced = {}
    for name in ("one", "two", "three"):
        for root in (inbox.inbox, inbox.done):
            (root / name).mkdir()
            unsynced[os.fsencode(root / name)] = root
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda folder: synced.append(os.readlink(f"/proc/self/fd/{folder}")))

    sync_moves(inbox, unsynced)

    roots = [Path(folder).parent for folder in synced]
    assert roots == [inbox.done] * 3 + [inbox.inbox] * 3


def test_a_folder_that_is_gone_before_its_moves_are_synced_holds_nobody_up(inbox: InboxSettings) -> None:
    sync_moves(inbox, {os.fsencode(inbox.inbox / "emptied"): inbox.inbox})


def test_a_folder_that_cannot_be_synced_is_blamed() -> None:
    with plain_user_folder() as folder:
        inbox = inbox_in(folder)
        assert isinstance(inbox.done, Path)
        inbox.done.chmod(0)

        with pytest.raises(OutOfOrder) as raised:
            sync_moves(inbox, {os.fsencode(inbox.done): inbox.done})

        assert raised.value.scope == f"folder:{inbox.done}"
