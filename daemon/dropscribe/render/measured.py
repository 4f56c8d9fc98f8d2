"""A run of speech with all that the search for its cues asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from dropscribe.render.borders import TORN, border_costs
from dropscribe.render.characters import cells, clusters
from dropscribe.render.kinds import SENTENCE, Kind, kinds
from dropscribe.render.profiles import Limits
from dropscribe.render.speech import Run
from dropscribe.render.tokens import Token, spread


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
