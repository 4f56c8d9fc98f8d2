"""Two voices in one cue, a line each behind a dash: where two short cues would stand one upon the other, or flash by.

The dash is that of Netflix's timed-text guides: with a space after it, in Chinese without.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dropscribe.render.characters import cells
from dropscribe.render.cues import Cue
from dropscribe.render.timing import CHAIN_MS

MUCH: Final = 0.5
"""Of the shorter cue: what overlaps by more is heard, and has to be read, at once."""

NEAR: Final = 16
"""Cues that are looked through for a partner: a hundred channels must not cost a hundred times as much."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What stands on the screen together: a cue, or two of different voices."""

    start_ms: int
    end_ms: int
    cues: tuple[Cue, ...]


def alone(cues: Sequence[Cue]) -> list[Showing]:
    """Each cue by itself."""
    return [Showing(cue.start_ms, cue.end_ms, (cue,)) for cue in cues]


def dialogs(cues: Sequence[Cue]) -> list[Showing]:
    """Two cues together where they belong together; `cues` and what is returned are in order of their starts.

    Every word stays on the screen while it is said, and no channel gets two cues at once.
    """
    return _Pairing(cues).made()


def dash(cue: Cue) -> str:
    """What the line of a voice begins with in a dialog."""
    return "-" if cue.script == "han" else "- "


class _Pairing:
    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = cues
        self._before: list[int | None] = [None] * len(cues)
        self._after: list[int | None] = [None] * len(cues)
        self._until = [cue.end_ms for cue in cues]
        latest: dict[int | None, int] = {}
        for at, cue in enumerate(cues):
            before = self._before[at] = latest.get(cue.channel)
            if before is not None:
                self._after[before] = at
            latest[cue.channel] = at

    def made(self) -> list[Showing]:
        found: list[Showing] = []
        paired: set[int] = set()
        for at, cue in enumerate(self._cues):
            if at in paired:
                continue
            end = cue.end_ms
            for other in self._candidates(at):
                together = None if other in paired else self._end_of(at, other)
                if together is not None:
                    paired.update((at, other))
                    self._until[at] = self._until[other] = end = together
                    found.append(Showing(cue.start_ms, end, (cue, self._cues[other])))
                    break
            else:
                found.append(Showing(cue.start_ms, end, (cue,)))
        return found

    def _candidates(self, at: int) -> Iterator[int]:
        """Later cues that are heard with this one, and the next of its own channel where no pause is between."""
        cue = self._cues[at]
        for other in range(at + 1, min(at + 1 + NEAR, len(self._cues))):
            if self._cues[other].start_ms >= cue.end_ms + CHAIN_MS:
                return
            if _belong(cue, self._cues[other], other == self._after[at]):
                yield other

    def _end_of(self, at: int, other: int) -> int | None:
        """Until when both may stand from the start of the first; None where they may not."""
        first, second = self._cues[at], self._cues[other]
        before = self._before[other]
        if before not in (None, at) and self._until[before or 0] > first.start_ms:
            return None
        latest = end = max(first.end_ms, second.end_ms)
        for one in (at, other):
            following = self._after[one]
            if following not in (None, other):
                cue, start = self._cues[one], self._cues[following or 0].start_ms
                end = min(end, max(start - cue.limits.gap_ms, cue.end_ms))
        said = max(token.end_ms for cue in (first, second) for token in cue.lines[0])
        long = end - first.start_ms > first.limits.longest_ms
        return None if long or end < min(said, latest) else end


def _belong(first: Cue, second: Cue, follows: bool) -> bool:
    """Two voices that talk at once on two channels; or that take turns, one of them too quickly to be read."""
    other_voice = (first.channel, first.speaker) != (second.channel, second.speaker)
    if not (other_voice and _is_short(first) and _is_short(second)):
        return False
    if first.channel == second.channel:
        return follows and any(cue.end_ms - cue.start_ms < cue.limits.shortest_ms for cue in (first, second))
    shorter = min(cue.end_ms - cue.start_ms for cue in (first, second))
    return min(first.end_ms, second.end_ms) - second.start_ms > MUCH * shorter


def _is_short(cue: Cue) -> bool:
    """One line, with room for a dash, where a cue may have two."""
    return len(cue.lines) == 1 and cue.limits.lines > 1 and cells(dash(cue) + cue.texts[0]) <= cue.limits.line
