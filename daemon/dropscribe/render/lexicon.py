"""Phrases of languages without spaces, as BudouX knows them; the only home of that library.

Its models are read when they are first asked for. Should it be missing, every border of the text is as good as any
other.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from math import exp
from types import MappingProxyType
from typing import Any, Final

from dropscribe.render.profiles import Script

_LOADERS: Final = MappingProxyType(
    {
        "han": "load_default_simplified_chinese_parser",
        "traditional": "load_default_traditional_chinese_parser",
        "kana": "load_default_japanese_parser",
        "thai": "load_default_thai_parser",
    }
)
_TRADITIONAL: Final = frozenset("們個來說這時會對國學過還後現從種頭沒話開點裡讓嗎們麼應當與為無業東車長門間問題關見電")
_THAI: Final = re.compile("[ก-๛]")
_FEATURES: Final = ("UW1", "UW2", "UW3", "UW4", "UW5", "UW6", "BW1", "BW2", "BW3", "TW1", "TW2", "TW3", "TW4")
"""Of BudouX's models: one, two and three characters in a row, of the six around a border."""
_NOWHERE: Final = "\0\0\0"
_SURE: Final = MappingProxyType({"han": (280, 790), "traditional": (280, 790), "kana": (100, 150), "thai": (0, 330)})
"""By model: what is added to BudouX's score, and the score that makes a border e times as likely. Its scores tell more
than their sign: fitted to words and phrases that people have marked (the dev parts of Universal Dependencies' GSD
treebanks; see bench/subtitles/treebank.py). For Thai none were at hand.
"""

Phrases = Callable[[str, int], float]
"""How likely a border at an offset of a text is to tear a phrase: 0 to 1, the less the higher BudouX's score."""


def phrases(script: Script, text: str) -> Phrases | None:
    """For a text in this script; None where no lexicon is at hand."""
    if script == "han" and any(character in _TRADITIONAL for character in text):
        return _phrases("traditional")
    if script == "thai" and not _THAI.search(text):
        return None  # Lao, Burmese, Khmer
    return _phrases(script) if script in _LOADERS else None


@lru_cache(maxsize=8)
def _phrases(name: str) -> Phrases | None:
    try:
        budoux = import_module("budoux")
        model: dict[str, dict[str, int]] = getattr(budoux, _LOADERS[name])().model
    except Exception:  # not installed, or installed and broken: either way subtitles are made without it
        return None
    return _tears(model, *_SURE[name])


def _tears(model: dict[str, Any], more: int, scale: int) -> Phrases:
    """BudouX's own sum, for single borders: its parser reckons every character, six times as many as are asked for."""
    base = more - sum(sum(group.values()) for group in model.values()) * 0.5
    u1, u2, u3, u4, u5, u6, b1, b2, b3, t1, t2, t3, t4 = (model.get(name, {}).get for name in _FEATURES)

    def tears(text: str, at: int) -> float:
        w = text[at - 3 : at + 3] if at >= 3 else _NOWHERE[at:] + text[: at + 3]
        score = u1(w[:1], 0) + u2(w[1:2], 0) + u3(w[2:3], 0) + u4(w[3:4], 0) + u5(w[4:5], 0) + u6(w[5:], 0)
        score += b1(w[1:3], 0) + b2(w[2:4], 0) + b3(w[3:5], 0)
        score += t1(w[:3], 0) + t2(w[1:4], 0) + t3(w[2:5], 0) + t4(w[3:], 0)
        return 1 / (1 + exp(min((base + score) / scale, 50)))

    return tears
