"""A transcript cut into subtitle cues: what stands on the screen together, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from dropscribe.model import Segment, Transcript
from dropscribe.render.align import Token, tokens
from dropscribe.render.layout import border_cost, width_of

LONGEST_MS = 7000
LINE_CELLS = 42
_LONG_PAUSE_MS = 1500
_LEAST_MS = 250
"""Cues of one channel begin at least this far apart, so that none is a mere flash."""
_WITHOUT_END_MS = 833
"""How long a cue stands whose end is not known."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One or two lines; the lines of all cues of a segment joined are its text, to the last space."""

    start_ms: int
    end_ms: int
    channel: int | None
    lines: tuple[str, ...]


def cues(transcript: Transcript) -> list[Cue]:
    """All cues in order of (start, channel); end > start, and no overlap within a channel."""
    channels: dict[int | None, list[Cue]] = {}
    for segment in transcript.segments:
        channels.setdefault(segment.channel, []).extend(cut(segment))
    timed = [cue for found in channels.values() for cue in _in_turn(found)]
    return sorted(timed, key=lambda cue: (cue.start_ms, -1 if cue.channel is None else cue.channel))


def cut(segment: Segment) -> list[Cue]:
    """The cues of one sentence: the whole where it fits, else halved at the best border until every piece fits.

    None lasts longer than LONGEST_MS, and none has more than two lines of LINE_CELLS, single tokens excepted.
    """
    if not segment.text.strip():
        return []
    done: list[Cue] = []
    waiting = [tokens(segment)]
    while waiting:
        group = waiting.pop()
        start, latest = group[0].start_ms, group[0].start_ms + LONGEST_MS
        lines = _lines(group) if len(group) == 1 or group[-1].end_ms <= latest else None
        if lines:
            done.append(Cue(start, min(group[-1].end_ms, latest), segment.channel, lines))
        else:
            at = _best_cut(group)
            waiting += [group[at:], group[:at]]
    return [_as_said(done[0], segment)] if len(done) == 1 else done


def _as_said(cue: Cue, segment: Segment) -> Cue:
    """The only cue of a sentence takes the sentence's own times, where they are usable."""
    if 0 < segment.end_ms - segment.start_ms <= LONGEST_MS:
        return replace(cue, start_ms=segment.start_ms, end_ms=segment.end_ms)
    return cue


def _lines(group: Sequence[Token]) -> tuple[str, ...] | None:
    """The text in one line or two that fit; None where it does not fit, unless it is a single token."""
    texts = [token.text for token in group]
    width = width_of(texts)
    if width <= LINE_CELLS or len(group) == 1:
        return ("".join(texts),)
    if width > 2 * LINE_CELLS + 1:
        return None
    costs = [(_line_cost(texts, at), at) for at in range(1, len(texts))]
    cost, at = min(costs)
    return ("".join(texts[:at]), "".join(texts[at:])) if cost < float("inf") else None


def _line_cost(texts: Sequence[str], at: int) -> float:
    above, below = width_of(texts[:at]), width_of(texts[at:])
    if max(above, below) > LINE_CELLS:
        return float("inf")
    return 2 * abs(above - below) / LINE_CELLS + 0.6 * border_cost(texts[at - 1])


def _best_cut(group: Sequence[Token]) -> int:
    """Where to halve: at a long pause or a mark, near the middle; the balance bounds how often it is done."""
    widths = [width_of([token.text]) for token in group]
    total, sofar, best = max(1, sum(widths)), 0, (float("inf"), 1)
    for at in range(1, len(group)):
        sofar += widths[at - 1]
        cost = _cut_cost(group[at - 1], group[at]) + 5 * abs(2 * sofar - total) / total
        best = min(best, (cost, at))
    return best[1]


def _cut_cost(before: Token, after: Token) -> float:
    pause = max(0, after.start_ms - before.end_ms)
    if pause >= _LONG_PAUSE_MS:
        return -4.0
    return max(0.0, border_cost(before.text) - min(3.2, pause / 150))


def _in_turn(found: Sequence[Cue]) -> list[Cue]:
    """The cues of one channel by start, each gone before the next comes."""
    ordered = sorted(found, key=lambda cue: cue.start_ms)
    starts: list[int] = []
    for cue in ordered:
        starts.append(max(cue.start_ms, starts[-1] + _LEAST_MS) if starts else cue.start_ms)
    return [
        replace(cue, start_ms=start, end_ms=_end(cue, start, following))
        for cue, start, following in zip_longest(ordered, starts, starts[1:])
    ]


def _end(cue: Cue, start_ms: int, following_ms: int | None) -> int:
    end = cue.end_ms if cue.end_ms > start_ms else start_ms + _WITHOUT_END_MS
    return end if following_ms is None else min(end, following_ms)
