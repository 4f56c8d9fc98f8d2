"""A run of speech cut into cues, and cues into lines, at the least cost.

best[j] = min over i of best[i] + what a cue of tokens i..j-1 costs + what a border before token j costs. A cue spans at
most the lines and seconds of its limits, so a run of n tokens takes n times the tokens that fit a cue. Costs that only
add up over the inside of a cue are sums over prefixes; lines are laid out only where a cue is still in the running.

The method is Knuth and Plass's ("Breaking Paragraphs into Lines", 1981) with time as a second dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from dropscribe.render.layout import Layout
from dropscribe.render.measured import Measured
from dropscribe.render.penalties import FORBIDDEN
from dropscribe.render.profiles import Limits

# Costs stand beside those of borders, where a border without a mark costs 4 and one that tears a phrase 10.
A_CUE: Final = 2.0
SENTENCE_INSIDE: Final = 1.2
STRADDLE: Final = 12.0
"""A word or two of the next sentence."""
CRUMB: Final = 7.0
"""A word or two alone."""
A_FLASH: Final = (6.0, 30.0)
"""Too short: at once, and by the share that is missing."""
TOO_FAST: Final = (4.0, 12.0)
"""At once, and by the share that is too much."""
COMFORTABLE: Final = 0.85
"""Of the reading speed; a little beyond is a little dear."""
TAIL_MS: Final = 1000
"""What timing can add after the last word."""
INSIDE_A_SECOND: Final = 3.0
LONG_INSIDE_MS: Final = 400
"""A pause inside a cue from here on costs INSIDE_A_SECOND times its seconds."""
CLEAR_PAUSE_MS: Final = 500
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Cut:
    """Tokens first..last-1 of a run are one cue; `breaks` are the tokens that begin its further lines."""

    first: int
    last: int
    breaks: tuple[int, ...] = ()


def cut(of: Measured, limits: Limits) -> list[Cut]:
    """The cheapest cues of a run, with their lines."""
    layout = Layout(of, limits)
    _, came_from = search(of, limits, layout)
    found: list[Cut] = []
    last = len(of.run.tokens)
    while last > 0:
        first = came_from[last]
        found.append(Cut(first, last, layout.breaks(first, last)))
        last = first
    return found[::-1]


def search(of: Measured, limits: Limits, layout: Layout) -> tuple[float, list[int]]:  # noqa: PLR0912, PLR0915 - hot
    """The least cost, and where the cue that ends before each token begins.

    All of the time goes here: nothing is called in vain.
    """
    tokens, of_kinds = of.run.tokens, of.kinds
    count = len(tokens)
    starts, ends = [token[1] for token in tokens], [token[2] for token in tokens]
    widths, line, longest, shortest = of.widths, limits.line, limits.longest_ms, limits.shortest_ms
    chars = list(accumulate((kind.chars for kind in of_kinds), initial=0.0))
    inner, whole, last_begin = _inner(of)
    latest = _latest_ends(of, starts, ends, limits)
    most = limits.lines * line + limits.lines
    crumb = line // 4
    a_second = 1000 / limits.cps
    flash, flash_share = A_FLASH
    fast, fast_share = TOO_FAST
    tiring = 6 / 7 * longest
    saved = [0.0]  # best[i] without what lies before i on the inside of cues
    came_from = [0] * (count + 1)
    low = 0
    for last in range(1, count + 1):
        width_to, end, final = widths[last] - of_kinds[last - 1][1], ends[last - 1], latest[last]
        while low < last - 1 and (width_to - widths[low] > most or end - starts[low] > longest):
            low += 1
        rest = A_CUE + of.costs[last] + inner[last - 1]
        best, best_first = _NEVER, last - 1
        read_to, sentence = chars[last] - of_kinds[last - 1][1] / 2, last_begin[last]
        for first, so_far in enumerate(saved[low:last], low):
            cost = so_far + rest
            if cost >= best:
                continue
            start = starts[first]
            shown = final - start
            if shown < shortest:
                cost += flash + flash_share * (1 - shown / shortest)
                shown = max(shown, 1)
            speed = (read_to - chars[first]) * a_second / shown
            if speed > COMFORTABLE:
                cost += fast + fast_share * min(3.0, speed - 1) if speed > 1 else 8 * (speed - COMFORTABLE)
            span = end - start
            if span > tiring:
                cost += (span - tiring) / 500
            if cost >= best:
                continue
            width = width_to - widths[first]
            if (last - first == 1 or width <= crumb) and not (whole[first] and whole[last]):
                cost += _crumb(of, first, last, starts, ends)
            if sentence > first and last - sentence <= 2:
                cost += STRADDLE if not whole[last] else STRADDLE / 3
            if width > line and cost < best:
                cost += layout.cost(first, last, best - cost)
            if cost < best:
                best, best_first = cost, first
        if best == _NEVER:  # only a forbidden border led here
            best = saved[last - 1] + rest + FORBIDDEN
        saved.append(best - inner[last] if last < count else best)
        came_from[last] = best_first
    return saved[count] if count else 0.0, came_from


def _inner(of: Measured) -> tuple[list[float], list[bool], list[int]]:
    """Sums of what lies inside a cue, for borders up to each; whether a sentence begins (or ended) at each token;
    where the last sentence before each token begins.
    """
    tokens, count = of.run.tokens, len(of.run.tokens)
    sums, whole, last_begin = [0.0] * (count + 1), [True] * (count + 1), [0] * (count + 1)
    for at in range(1, count):
        pause = tokens[at][1] - tokens[at - 1][2]
        begins = of.sentences[at]
        cost = INSIDE_A_SECOND * pause / 1000 if pause >= LONG_INSIDE_MS else 0.0
        sums[at] = sums[at - 1] + cost + (SENTENCE_INSIDE if begins else 0.0)
        whole[at] = begins
        last_begin[at + 1] = at if begins else last_begin[at]
    sums[count] = sums[count - 1] if count else 0.0
    return sums, whole, last_begin


def _latest_ends(of: Measured, starts: Sequence[int], ends: Sequence[int], limits: Limits) -> list[int]:
    """Until when a cue may stand that ends before each token."""
    tail = ends[-1] + TAIL_MS
    return [
        0,
        *(min(end + TAIL_MS, start - limits.gap_ms) for end, start in zip(ends, starts[1:], strict=False)),
        tail if of.run.until_ms is None else min(tail, of.run.until_ms - limits.gap_ms),
    ]


def _crumb(of: Measured, first: int, last: int, starts: Sequence[int], ends: Sequence[int]) -> float:
    """A word or two alone: right between two pauses, and where it is all that is said."""
    before = starts[first] - ends[first - 1] if first else CLEAR_PAUSE_MS
    after = starts[last] - ends[last - 1] if last < len(starts) else CLEAR_PAUSE_MS
    return CRUMB / 4 if min(before, after) >= CLEAR_PAUSE_MS else CRUMB
