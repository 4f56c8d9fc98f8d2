"""What becomes of files that may have been paid before, when it cannot be told."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from clocks import FakeClock
from dropscribe.adopting import LONGEST_HOLD, Adopting
from dropscribe.config.settings import InboxSettings
from dropscribe.folders import FolderGuard
from dropscribe.house import House
from dropscribe.ledger import stories
from dropscribe.ledger.rows import NewMedia
from dropscribe.model import Document, Fingerprint, Look, Transcript
from dropscribe.render import render_all
from dropscribe.settle import Tracker
from houses import furnished

LOOK = Look(5, 1, 1)


@dataclass
class Library:
    """`held`: what was asked to come again, in order."""

    house: House
    inbox: InboxSettings
    clock: FakeClock
    adopting: Adopting
    held: list[bytes]
    tracker: Tracker = field(default_factory=lambda: Tracker(5.0, 100))

    def media(self, path: str, sha256: str = "0f" * 32) -> NewMedia:
        return NewMedia(os.fsencode(path), Fingerprint(LOOK, sha256, 0), self.inbox.recipe, "mp3", 0)

    def deliver(self, stem: str, sha256: str = "0f" * 32) -> None:
        """A set as an earlier daemon wrote it."""
        document = Document("talk.mp3", 5, sha256, "fun-asr", {}, "t-1", Transcript(1000, "", ()))
        for name, text in render_all(document, self.inbox.outputs, self.inbox.presentation).texts.items():
            path = self.inbox.outbox / f"{stem}.{name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)

    async def scopes(self) -> dict[str, str]:
        """What `status` reads: messages by scope."""
        found = await self.house.ledger.look(stories.open_scopes)
        return {scope.name: scope.message for scope in found}

    async def to_take(self, *files: NewMedia) -> list[NewMedia]:
        return await self.adopting.to_take(self.inbox, files)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    clock, marks, held = FakeClock(), dict[bytes, str](), list[bytes]()
    with furnished(tmp_path, clock) as bare, ThreadPoolExecutor(1) as threads:
        house = replace(bare, guard=lambda path: FolderGuard(path, marks.get, marks.__setitem__))
        inbox = replace(house.inboxes["talks"], done="keep")
        found: list[Library] = []

        def hold(new: NewMedia) -> None:
            held.append(new.path)
            found[0].tracker.restart(new.path, new.fingerprint.look, clock.monotonic())

        found.append(Library(house, inbox, clock, Adopting("talks", house, threads, hold), held))
        yield found[0]


async def test_a_library_that_was_never_delivered_to_is_taken_and_its_outbox_remembered(library: Library) -> None:
    new = library.media("talk.mp3")

    assert await library.to_take(new) == [new]

    assert library.inbox.outbox.is_dir()
    assert await library.scopes() == {}


async def test_while_the_outbox_is_missing_files_are_held_and_it_is_an_alarm(library: Library) -> None:
    library.deliver("talk")
    await library.to_take(library.media("other.mp3", "ab" * 32))
    library.inbox.outbox.rename(library.inbox.outbox.with_name("away"))

    assert await library.to_take(library.media("talk.mp3")) == []

    assert library.held == [b"talk.mp3"]
    assert set(await library.scopes()) == {f"folder:{library.inbox.outbox}"}
    assert not library.inbox.outbox.exists()


async def test_one_hidden_transcript_holds_its_own_file_and_no_other(library: Library) -> None:
    library.deliver("talk")
    (library.inbox.outbox / "old").symlink_to("/nowhere/archive")
    fresh = library.media("fresh.mp3", "ab" * 32)

    assert await library.to_take(library.media("old/talk.mp3", "cd" * 32), library.media("talk.mp3"), fresh) == [fresh]

    assert library.held == [b"old/talk.mp3"]
    message = (await library.scopes())["adopting:talks"]
    assert "old/talk.mp3 waits" in message and str(library.inbox.outbox / "old/talk.json") in message


async def test_a_held_file_is_not_read_again_and_comes_to_its_next_try_when_that_is_due(library: Library) -> None:
    library.inbox.outbox.mkdir()
    (library.inbox.outbox / "old").symlink_to(library.house.settings.state / "archive")
    talk = library.media("old/talk.mp3")
    await library.to_take(talk)
    (library.house.settings.state / "archive").mkdir()
    library.deliver("old/talk")

    assert await library.to_take(talk) == []
    assert library.held == [b"old/talk.mp3"] * 2, "too early"
    assert library.adopting.fingerprint(talk.path, LOOK) == talk.fingerprint
    assert library.adopting.fingerprint(talk.path, Look(6, 2, 1)) is None
    library.clock.advance(LONGEST_HOLD)
    assert await library.to_take(talk) == []

    assert library.held == [b"old/talk.mp3"] * 2, "it is adopted"
    assert library.adopting.fingerprint(talk.path, LOOK) is None


async def test_the_alarm_ends_when_no_held_file_waits_any_more(library: Library) -> None:
    library.inbox.outbox.mkdir()
    (library.inbox.outbox / "old").symlink_to("/nowhere/archive")
    await library.to_take(library.media("old/talk.mp3"))
    await library.adopting.let_go(library.tracker)
    assert "adopting:talks" in await library.scopes()

    library.tracker.forget(b"old/talk.mp3")
    await library.adopting.let_go(library.tracker)

    assert await library.scopes() == {}
