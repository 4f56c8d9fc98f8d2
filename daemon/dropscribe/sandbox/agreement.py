"""How much of what was spoken was heard: pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same`: words of the `spoken` ones that were heard, in their order."""

    same: int
    spoken: int


def agreement(spoken: str, heard: str) -> Agreement:
    """Case and punctuation do not count; words are those of the Latin alphabet."""
    true, found = _words(spoken), _words(heard)
    blocks = SequenceMatcher(None, true, found, autojunk=False).get_matching_blocks()
    return Agreement(sum(block.size for block in blocks), len(true))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("-", " "))
