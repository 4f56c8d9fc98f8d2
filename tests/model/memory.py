"""The state folder: copied, restored, lost; and what a ledger cannot know after that."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import files_below, sha256

if TYPE_CHECKING:
    from model.world import World

LEDGER = "ledger.sqlite"
LISTED = 23 * 3600.0
"""Seconds for which the task list surely shows what became of a submit."""


@dataclass(frozen=True)
class Lapse:
    """What happened after `since` and until `at` is not known any more, but for what was about these object keys and
    is not too old for the task list.

    `lay`: the contents of files that lay in an inbox at that moment without a transcript of their own beside them.
    """

    since: float
    at: float
    keys: frozenset[str]
    lay: frozenset[str]

    def hides(self, moment: float, key: str) -> bool:
        """Whether a payment, by the moment of its submit and its key, is one that the ledger cannot know."""
        return self.since < moment <= self.at and (key not in self.keys or self.at - moment > LISTED)


@dataclass
class Memory:
    """The ledger of one world, from outside."""

    world: "World"
    lapses: list[Lapse] = field(default_factory=list)
    forgotten: list[tuple[float, str]] = field(default_factory=list)
    """When a file was forgotten by a command, and its content."""
    _copied_at: float | None = None

    @property
    def has_copy(self) -> bool:
        return self._copied_at is not None

    @property
    def last_gap(self) -> float:
        """When something was forgotten for the last time."""
        return max([0.0, *(lapse.at for lapse in self.lapses), *(at for at, _ in self.forgotten)])

    def copy(self) -> None:
        """As the README says, while the daemon runs."""
        if not (self._state / LEDGER).exists():
            return
        self._backup.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._state / LEDGER)) as live, closing(sqlite3.connect(self._backup)) as copy:
            live.backup(copy)
        self._copied_at = self.world.now()

    def restore(self) -> None:
        """As the README says."""
        assert self._copied_at is not None
        self.world.remembers()
        with closing(sqlite3.connect(self._backup)) as copy:
            keys = {key for (key,) in copy.execute(KEYS)}
            waited = {content for (content,) in copy.execute(WAITED)}
        for file in self._state.glob(f"{LEDGER}*"):
            file.unlink()
        shutil.copy(self._backup, self._state / LEDGER)
        self._lapsed(self._copied_at, keys, waited)

    def lose(self) -> None:
        self.world.remembers()
        shutil.rmtree(self._state)
        self._copied_at = None
        self._lapsed(0.0, set(), set())

    @property
    def _state(self) -> Path:
        return self.world.lab.state

    @property
    def _backup(self) -> Path:
        return self.world.root / "backup.sqlite"

    def _lapsed(self, since: float, keys: set[str], waited: set[str]) -> None:
        """`waited`: the contents that the copy takes for unpaid; the bill tells whether a known key was paid twice."""
        lay = waited.union(sha256(content) for content in self._to_be_taken())
        self.lapses.append(Lapse(since, self.world.now(), frozenset(keys), frozenset(lay)))

    def _to_be_taken(self) -> Iterator[bytes]:
        """Every source in an inbox, but what stands in the library beside a transcript that tells of it."""
        person = self.world.person
        for inbox, folder in person.inboxes.items():
            found = files_below(folder)
            told = _told_by(found) if inbox == "library" else set()
            yield from (
                content for path, content in found.items() if sha256(content) not in told and not path.endswith(".srt")
            )


def _told_by(found: dict[str, bytes]) -> set[str]:
    told = set()
    for path, content in found.items():
        if path.endswith(".json"):
            try:
                told.add(json.loads(content)["source"]["sha256"])
            except (ValueError, KeyError):
                continue  # somebody's own, or edited
    return told


WAITED = "SELECT sha256 FROM recognition WHERE state IN ('needed', 'uploading', 'uploaded', 'submitting')"
KEYS = """
    SELECT object_key FROM recognition WHERE object_key IS NOT NULL
    UNION SELECT object_key FROM batch_item
"""
