"""What it costs to end a line or a cue between two tokens: nothing after a sentence, much after an article."""

from collections.abc import Sequence
from typing import Final

from dropscribe.render.kinds import CLAUSE, COMMA, NO_MARK, SENTENCE, Kind
from dropscribe.render.penalties import spaced
from dropscribe.render.speech import Run
from dropscribe.render.unspaced import Unspaced

LEAST_WITHOUT_MARK: Final = 0.3
PAUSE_WORTH_MS: Final = 150
"""A pause of this length takes 1 off the cost of a border without a mark, down to LEAST_WITHOUT_MARK."""

TORN: Final = 20.0
"""Inside a token: only where it is wider than a line."""
_LEAD: Final = -1.2
_DANGLING: Final = 2.0
"""After the first word of a clause or sentence, which would dangle at the end of the one before."""
_SLIGHT: Final = 1.0
"""A penalty below that does not spoil a good beginning."""


def border_costs(run: Run, kinds_of: Sequence[Kind], lexicon: bool = True) -> tuple[list[float], list[float]]:
    """(cost, penalty) of the border before each token and, at the end, after the last; the first is not used.

    The penalty is that part of the cost which stands for something torn apart. Without `lexicon` it is left to someone
    else what is inside a word, and only function words count.
    """
    tokens, begins = run.tokens, run.sentences
    costs, penalties = [0.0] * (len(tokens) + 1), [0.0] * (len(tokens) + 1)
    unspaced = Unspaced(run, lexicon) if run.script in ("han", "kana", "thai") else None
    before, last = kinds_of[0], tokens[0]
    for at in range(1, len(tokens)):
        after, token = kinds_of[at], tokens[at]
        if begins[at]:
            costs[at] = SENTENCE if before.ends_sentence else CLAUSE
        elif before.mark == SENTENCE and not after.lower:
            costs[at] = SENTENCE
        elif 0 < before.mark < NO_MARK:
            costs[at] = before.mark
        else:
            pause = max(0, token[1] - last[2])
            cost = max(LEAST_WITHOUT_MARK, NO_MARK - min(3.2, pause / PAUSE_WORTH_MS))
            penalty = spaced(before, after, run) if unspaced is None else unspaced.penalty(before, after, at)
            if after.leads and penalty < _SLIGHT:
                cost = max(LEAST_WITHOUT_MARK, cost + _LEAD)
            if costs[at - 1] <= COMMA and at > 1:
                cost += _DANGLING
            costs[at], penalties[at] = cost + penalty, penalty
        before, last = after, token
    return costs, penalties
