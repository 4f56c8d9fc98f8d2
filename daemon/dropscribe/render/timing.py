"""When a cue comes and goes: with its words, long enough to be read, gone before the next, never left in silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dropscribe.render.profiles import Limits

CHAIN_MS: Final = 500
"""A shorter pause than this is no pause on a screen: the cue stays until just before the next."""
TAIL_MS: Final = 500
"""How long a cue may stay after its last word, where that makes it comfortable to read."""
LONGEST_TAIL_MS: Final = 1000
"""The same where it would be too short or too fast otherwise."""
TRIM_MS: Final = 100
"""By how much a cue may go before its last word ends, or come beside its first."""
COMFORTABLE: Final = 0.85
LEAST_MS: Final = 250
"""What crowded cues of one channel are apart at least, so that none is a mere flash."""


@dataclass(slots=True)
class Span:
    """What is said from `first_ms` to `last_ms`; `start_ms` to `end_ms` is when it is shown."""

    first_ms: int
    last_ms: int
    chars: float
    limits: Limits
    start_ms: int = 0
    end_ms: int = 0


def show(spans: Sequence[Span]) -> None:
    """Set the times of one channel's cues: in order, none over the next, each from 1 ms to its longest."""
    _begin(spans)
    for at, span in enumerate(spans):
        following = spans[at + 1] if at + 1 < len(spans) else None
        _end(span, following)
        if span.end_ms - span.start_ms < span.limits.shortest_ms:
            _stretch(spans[at - 1] if at else None, span, following)


def _begin(spans: Sequence[Span]) -> None:
    latest = None
    for span in spans:
        span.start_ms = span.first_ms if latest is None else max(span.first_ms, latest + LEAST_MS)
        latest = span.start_ms


def _end(span: Span, following: Span | None) -> None:
    limits = span.limits
    needed = max(limits.shortest_ms, 1000 * span.chars / limits.cps)
    wished = max(needed, 1000 * span.chars / (COMFORTABLE * limits.cps))
    end = max(
        span.last_ms,
        min(span.start_ms + round(needed + 0.5), span.last_ms + LONGEST_TAIL_MS),
        min(span.start_ms + round(wished + 0.5), span.last_ms + TAIL_MS),
    )
    if following is not None:
        end = _before(span, following, end)
    span.end_ms = max(span.start_ms + 1, min(end, span.start_ms + limits.longest_ms))


def _before(span: Span, following: Span, end: int) -> int:
    """The end with the gap before the next cue; where speech goes on without a pause, both give a little for it."""
    gap = span.limits.gap_ms
    if following.start_ms - end >= CHAIN_MS:
        return end
    latest = following.start_ms - gap
    said = min(span.last_ms, following.start_ms)
    if latest < said - TRIM_MS:
        late = min(said - TRIM_MS - latest, TRIM_MS)
        following.start_ms = max(following.start_ms, min(following.first_ms + late, following.start_ms + late))
        latest = following.start_ms - gap
    return max(latest, min(said - TRIM_MS, following.start_ms))


def _stretch(before: Span | None, span: Span, following: Span | None) -> None:
    """Too short between two others: first a little earlier, then at the cost of the gaps, then a little of theirs."""
    needed = span.limits.shortest_ms
    for gap, trim in ((span.limits.gap_ms, 0), (0, 0), (0, TRIM_MS)):
        if following is not None and span.end_ms - span.start_ms < needed:
            _push(span, following, needed, gap, trim)
        if span.end_ms - span.start_ms < needed:
            _pull(before, span, needed, gap, trim)


def _push(span: Span, following: Span, needed: int, gap: int, trim: int) -> None:
    """A later end."""
    wanted = span.start_ms + needed
    if following.start_ms - gap < wanted and trim:
        following.start_ms = max(following.start_ms, min(wanted + gap, following.first_ms + trim))
    span.end_ms = max(span.end_ms, min(wanted, following.start_ms - gap, span.last_ms + LONGEST_TAIL_MS))


def _pull(before: Span | None, span: Span, needed: int, gap: int, trim: int) -> None:
    """An earlier start."""
    wanted = max(span.end_ms - needed, 0)
    floor = 0
    if before is not None:
        floor = before.end_ms + gap
        if wanted < floor and trim:
            least = max(before.last_ms - trim, before.start_ms + before.limits.shortest_ms)
            before.end_ms = max(min(before.end_ms, wanted - gap), min(before.end_ms, least))
            floor = before.end_ms + gap
    span.start_ms = min(span.start_ms, max(wanted, floor))
