"""Which files have stopped changing. Pure: looks and the monotonic clock are given.

A file that has not settled is weather, not an item: it is forgotten on a restart and looked at anew.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from dropscribe.model import Look


class Verdict(Enum):
    """What a second look shows, besides a settled file."""

    STILL_CHANGING = "still changing"
    GONE = "gone"


StillChanging = Literal[Verdict.STILL_CHANGING]
Gone = Literal[Verdict.GONE]
STILL_CHANGING: StillChanging = Verdict.STILL_CHANGING
GONE: Gone = Verdict.GONE


@dataclass(frozen=True, slots=True)
class Settled:
    """Two looks, `settle` apart, were equal."""

    look: Look


@dataclass(frozen=True, slots=True)
class _First:
    look: Look
    at: float
    since: float


class Tracker:
    """First looks at up to `capacity` files, each waiting `settle` seconds for its second.

    `now` never goes back. Not thread-safe. Every operation is O(1) a file.
    """

    def __init__(self, settle: float, capacity: int) -> None:
        self._settle = settle
        self._capacity = capacity
        # All waits are equally long, so the order of their beginnings is the order in which they are due.
        self._waiting: OrderedDict[bytes, _First] = OrderedDict()
        self._asked: dict[bytes, _First] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._asked)

    def __contains__(self, path: bytes) -> bool:
        return path in self._waiting or path in self._asked

    def see(self, path: bytes, look: Look, now: float) -> bool:
        """A look at a file that is not taken yet. An unchanged one changes nothing; any other starts its wait anew.

        False if there is no room for it: the next rescan brings it again.
        """
        known = self._known(path)
        if known is None and len(self) >= self._capacity:
            return False
        if known is None or known.look != look or self._is_overdue(path, now):
            self.restart(path, look, now)
        return True

    def due(self, now: float) -> list[bytes]:
        """The files whose second look is due, the longest waiting first; each is handed out once per wait.

        Answer each with `second_look`; one left unanswered for another `settle` seconds begins again when seen.
        """
        found = []
        while self._waiting and self._ready(first := next(iter(self._waiting.values()))) <= now:
            path, _ = self._waiting.popitem(last=False)
            self._asked[path] = first
            found.append(path)
        return found

    def second_look(self, path: bytes, look: Look | None, now: float) -> Settled | StillChanging | Gone:
        """Judge a second look (None: no regular file is there). A file that has settled or is gone is forgotten."""
        known = self._known(path)
        if look is None:
            self.forget(path)
            return GONE
        if known is None or known.look != look:
            self.restart(path, look, now)
            return STILL_CHANGING
        if now < self._ready(known):
            return STILL_CHANGING
        self.forget(path)
        return Settled(look)

    def restart(self, path: bytes, look: Look, now: float) -> None:
        """Begin a file's wait anew, also though it looks the same (a writer still holds it open)."""
        known = self._known(path)
        self.forget(path)
        self._waiting[path] = _First(look, now, known.since if known else now)

    def next_due(self) -> float | None:
        """When the next second look is due, on the clock that was given; None if nothing waits."""
        return self._ready(next(iter(self._waiting.values()))) if self._waiting else None

    def forget(self, path: bytes) -> None:
        """Drop a file; one that is not known is fine."""
        self._waiting.pop(path, None)
        self._asked.pop(path, None)

    def waiting(self) -> Iterator[tuple[bytes, float]]:
        """(path, when it was first seen) of every file that has not settled."""
        for files in (self._asked, self._waiting):
            for path, first in files.items():
                yield path, first.since

    def _known(self, path: bytes) -> _First | None:
        return self._waiting.get(path) or self._asked.get(path)

    def _ready(self, first: _First) -> float:
        return first.at + self._settle

    def _is_overdue(self, path: bytes, now: float) -> bool:
        first = self._asked.get(path)
        return first is not None and now >= self._ready(first) + self._settle
