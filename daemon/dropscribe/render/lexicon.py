"""Phrases of languages without spaces, where BudouX is installed (the extra `cjk`); the only home of that library.

Its models are read when they are first asked for. Without it every border of the text is as good as any other.
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
_WINDOWS: Final = (
    ("UW1", -3, -2),
    ("UW2", -2, -1),
    ("UW3", -1, 0),
    ("UW4", 0, 1),
    ("UW5", 1, 2),
    ("UW6", 2, 3),
    ("BW1", -2, 0),
    ("BW2", -1, 1),
    ("BW3", 0, 2),
    ("TW1", -3, 0),
    ("TW2", -2, 1),
    ("TW3", -1, 2),
    ("TW4", 0, 3),
)
"""Features of BudouX's models and the characters around a border that they look at."""

_SURE: Final = MappingProxyType({"han": (280, 790), "traditional": (280, 790), "kana": (100, 150), "thai": (0, 330)})
"""By model: what is added to BudouX's score, and the score that makes a border e times as likely. Its scores tell more
than their sign: fitted to words and phrases that people have marked (Universal Dependencies' GSD, their dev parts).
"""

Phrases = Callable[[str, int], float]
"""How likely a border at an offset of a text is to tear a phrase: 0 to 1, above 0.5 where BudouX would see none."""


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
    features = [(model.get(name, {}).get, first, last) for name, first, last in _WINDOWS]

    def tears(text: str, at: int) -> float:
        score = base
        for weight, first, last in features:
            if at + first >= 0:
                score += weight(text[at + first : at + last], 0)
        return 1 / (1 + exp(min(score / scale, 50)))

    return tears
