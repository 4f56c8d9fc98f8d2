"""What a border costs for what it tears apart, in scripts with spaces between words; `unspaced` has the others."""

from typing import Final

from dropscribe.render.characters import OPENERS
from dropscribe.render.kinds import Kind
from dropscribe.render.speech import Run

FORBIDDEN: Final = 1e8
"""Taken only where no other border leads on."""
AFTER_HOLD: Final = 5.5
BEFORE_FOLLOWER: Final = 6.0
AFTER_NUMBER: Final = 6.0
AMONG_LATIN: Final = 5.0
"""Between Latin words in a run of another script."""
BAD: Final = 4.0
"""A penalty from here on means that the border tears something apart."""
_IN_NAME: Final = 5.0
_INTERPUNCTS: Final = "·・‧"


def tears(penalty: float) -> bool:
    """Whether a border with this penalty takes apart what belongs together."""
    return penalty >= BAD


def spaced(before: Kind, after: Kind, run: Run) -> float:
    """The penalty between two tokens of a script with spaces."""
    penalty = 0.0
    if before.holds:
        penalty += AFTER_HOLD
    if after.follows:
        penalty += BEFORE_FOLLOWER
    if before.number and not after.leads:
        penalty += AFTER_NUMBER if not after.holds else AFTER_NUMBER / 2
    elif after.number and before.capital:
        penalty += AFTER_NUMBER / 2
    if before.capital and after.capital:
        penalty += _IN_NAME if run.language != "de" else 1.0
    if before.glued:
        penalty += _glued(before, after, run)
    return penalty


def _glued(before: Kind, after: Kind, run: Run) -> float:
    """No space between them: a wide script in a run of another, or a dash."""
    if inseparable(before, after):
        return FORBIDDEN
    return AMONG_LATIN if run.script != "hangul" or before.latin_end == after.latin_head else 0.0


def inseparable(before: Kind, after: Kind) -> bool:
    """An interpunct ties a name together, an opening mark stays with what it opens."""
    return before.end in _INTERPUNCTS or after.head in _INTERPUNCTS or before.end in OPENERS
