"""A run of speech cut into cues, and cues into lines, at the least cost.

best[j] = min over i of best[i] + what a cue of tokens i..j-1 costs + what a border before token j costs. A cue spans at
most the lines and seconds of its limits, so a run of n tokens takes n times the tokens that fit a cue. Costs that only
add up over the inside of a cue are sums over prefixes; lines are laid out only where a cue is still in the running.

The method is Knuth and Plass's ("Breaking Paragraphs into Lines", 1981) with time as a second dimension.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Final

from dropscribe.render.borders import FORBIDDEN, SENTENCE, TORN, Kind, border_costs, kinds
from dropscribe.render.characters import cells, clusters
from dropscribe.render.profiles import Limits
from dropscribe.render.speech import Run
from dropscribe.render.tokens import Token, spread

A_CUE: Final = 2.0
SENTENCE_INSIDE: Final = 1.2
STRADDLE: Final = 12.0
CRUMB: Final = 7.0
A_FLASH: Final = (6.0, 30.0)
TOO_FAST: Final = (4.0, 12.0)
COMFORTABLE: Final = 0.85
LINE_WEIGHT: Final = 0.7
A_BREAK: Final = 0.5
TAIL_MS: Final = 1000
INSIDE_A_SECOND: Final = 3.0
LONG_INSIDE_MS: Final = 400
"""A pause inside a cue from here on makes it worse."""
CLEAR_PAUSE_MS: Final = 500
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Cut:
    """Tokens first..last-1 of a run are one cue; `breaks` are the tokens that begin its further lines."""

    first: int
    last: int
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A run with all that the search asks of it.

    `sentences[i]`: a sentence begins with token i; `torn` are tokens that go on with a piece of the one before.
    """

    run: Run
    kinds: Sequence[Kind]
    costs: Sequence[float]
    penalties: Sequence[float]
    sentences: Sequence[bool]
    torn: frozenset[int]

    @cached_property
    def widths(self) -> list[int]:
        return list(accumulate((kind.width + kind.tail for kind in self.kinds), initial=0))

    def width(self, first: int, last: int) -> int:
        """Cells of tokens first..last-1 on one line."""
        return self.widths[last] - self.widths[first] - self.kinds[last - 1].tail


def measured(run: Run, limits: Limits, room: int = 0) -> Measured:
    """The run with tokens that fit a line, and what each border costs.

    `room` is left before the first token, where it fits the line with that.
    """
    run, torn = _fitted(run, limits.line)
    of = kinds(run)
    if of[0].width + room <= limits.line:
        of[0] = of[0]._replace(width=of[0].width + room)
    costs, penalties = border_costs(run, of)
    for at in torn:
        costs[at] = penalties[at] = TORN
    sentences = [begins or cost == SENTENCE for begins, cost in zip(run.sentences, costs, strict=False)]
    return Measured(run, of, costs, penalties, sentences, torn)


def _fitted(run: Run, line: int) -> tuple[Run, frozenset[int]]:
    """Tokens wider than a line in pieces of what people take for characters; addresses after their marks."""
    if all(width <= line for width in (kind.width for kind in kinds(run))):
        return run, frozenset()
    tokens: list[Token] = []
    begins: list[bool] = []
    torn: set[int] = set()
    for token, begin in zip(run.tokens, run.sentences, strict=True):
        pieces = _torn(token, line, run.wide)
        torn.update(range(len(tokens) + 1, len(tokens) + len(pieces)))
        tokens += pieces
        begins += [begin, *[False] * (len(pieces) - 1)]
    return replace(run, tokens=tuple(tokens), sentences=tuple(begins)), frozenset(torn)


def _torn(token: Token, line: int, wide: bool) -> list[Token]:
    if cells(token.text.strip(), wide) <= line:
        return [token]
    pieces, piece, width = [], "", 0
    for cluster in clusters(token.text):
        more = cells(cluster, wide)
        full = width + more > line and not cluster.isspace()
        if piece and (full or (piece[-1] in "/?&-_" and width > line // 2)):
            pieces.append(piece)
            piece, width = "", 0
        piece, width = piece + cluster, width + more
    return spread([*pieces, piece], token.start_ms, token.end_ms, token.spoken)


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


def search(of: Measured, limits: Limits, layout: "Layout") -> tuple[float, list[int]]:  # noqa: PLR0912, PLR0915 - hot
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


class Layout:
    """Where the lines of a cue are broken."""

    def __init__(self, of: Measured, limits: Limits) -> None:
        self._of, self._line, self._lines = of, limits.line, limits.lines
        self._last, self._kept = -1, dict[tuple[int, int], tuple[float, tuple[int, ...]]]()
        self._widths, self._tails = of.widths, [0, *(kind.tail for kind in of.kinds)]
        self._costs = [
            LINE_WEIGHT * (cost - penalty) + penalty + A_BREAK
            for cost, penalty in zip(of.costs, of.penalties, strict=True)
        ]
        for at in range(1, len(of.run.tokens)):
            if of.sentences[at]:
                self._costs[at] -= 0.7  # the end of a sentence inside a cue hurts less where a line ends with it

    def cost(self, first: int, last: int, bound: float) -> float:
        """What the lines of a cue cost that does not fit one; infinite where that is not below `bound`."""
        return self._broken(first, last, self._lines, bound)[0]

    def breaks(self, first: int, last: int) -> tuple[int, ...]:
        """The tokens that begin the further lines."""
        if self._of.width(first, last) <= self._line:
            return ()
        return self._broken(first, last, self._lines, _NEVER)[1]

    def _broken(self, first: int, last: int, lines: int, bound: float) -> tuple[float, tuple[int, ...]]:
        if lines != 2:
            return self._several(first, last, lines) if lines > 2 else (_NEVER, ())
        widths, tails, line, costs = self._widths, self._tails, self._line, self._costs
        start, end = widths[first], widths[last] - tails[last]
        best, found = bound, 0
        for at in range(bisect_left(widths, end - line, first + 1, last), last):
            above = widths[at] - tails[at] - start
            if above > line:
                break
            cost = costs[at]
            if cost >= best:
                continue
            below = end - widths[at]
            skew = (above - below) / line
            cost += 2 * skew * skew + (0.15 if above > below else 0.0)
            if 4 * above < line or 4 * below < line:
                cost += 2.5
            if cost < best:
                best, found = cost, at
        return (best, (found,)) if found else (_NEVER, ())

    def _several(self, first: int, last: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """The best first line and the rest in one line less, or all in one line less; kept while `last` is the same."""
        if self._last != last:
            self._last = last
            self._kept.clear()
        known = self._kept.get((first, lines))
        if known is None:
            known = self._kept[first, lines] = self._first_line(first, last, lines)
        return known

    def _first_line(self, first: int, last: int, lines: int) -> tuple[float, tuple[int, ...]]:
        best, found = self._broken(first, last, lines - 1, _NEVER)
        room = (lines - 1) * (self._line + 1)
        for at in range(max(first + 1, bisect_left(self._widths, self._widths[last] - room)), last):
            above, below = self._of.width(first, at), self._of.width(at, last)
            if above > self._line:
                break
            if below <= self._line:
                continue
            cost, breaks = self._broken(at, last, lines - 1, _NEVER)
            skew = (above - below / (lines - 1)) / self._line
            cost += self._costs[at] + 2 * skew * skew
            if cost < best:
                best, found = cost, (at, *breaks)
        return best, found
