"""Where the lines of a cue are broken."""

from bisect import bisect_left
from typing import Final

from dropscribe.render.measured import Measured
from dropscribe.render.profiles import Limits

LINE_WEIGHT: Final = 0.7
"""A border costs that much less inside a cue than at its end, but for what it tears."""
A_BREAK: Final = 0.5
SENTENCE_BREAK: Final = 0.7
"""The end of a sentence inside a cue hurts less where a line ends with it."""
NEVER: Final = float("inf")


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
                self._costs[at] -= SENTENCE_BREAK

    def cost(self, first: int, last: int, bound: float) -> float:
        """What the lines of a cue cost that does not fit one; infinite where that is not below `bound`."""
        return self._broken(first, last, self._lines, bound)[0]

    def breaks(self, first: int, last: int) -> tuple[int, ...]:
        """The tokens that begin the further lines."""
        if self._of.width(first, last) <= self._line:
            return ()
        return self._broken(first, last, self._lines, NEVER)[1]

    def _broken(self, first: int, last: int, lines: int, bound: float) -> tuple[float, tuple[int, ...]]:
        if lines != 2:
            return self._several(first, last, lines) if lines > 2 else (NEVER, ())
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
        return (best, (found,)) if found else (NEVER, ())

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
        best, found = self._broken(first, last, lines - 1, NEVER)
        room = (lines - 1) * (self._line + 1)
        for at in range(max(first + 1, bisect_left(self._widths, self._widths[last] - room)), last):
            above, below = self._of.width(first, at), self._of.width(at, last)
            if above > self._line:
                break
            if below <= self._line:
                continue
            cost, breaks = self._broken(at, last, lines - 1, NEVER)
            skew = (above - below / (lines - 1)) / self._line
            cost += self._costs[at] + 2 * skew * skew
            if cost < best:
                best, found = cost, (at, *breaks)
        return best, found
