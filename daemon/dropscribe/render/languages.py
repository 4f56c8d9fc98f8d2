"""Which script and which language a sentence is written in, as far as subtitles need to know."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from dropscribe.model import Segment
from dropscribe.render.characters import HAN, HANGUL, KANA, THAI
from dropscribe.render.profiles import Script
from dropscribe.render.wordlists import word_list

_LETTERS: Mapping[Script, re.Pattern[str]] = MappingProxyType(
    {
        "han": re.compile(f"[{HAN}]"),
        "kana": re.compile(f"[{KANA}]"),
        "hangul": re.compile(f"[{HANGUL}]"),
        "thai": re.compile(f"[{THAI}]"),
        "rtl": re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001eeff]"),
        "indic": re.compile("[\u0900-\u0dff\u0f00-\u0fff\u1c80-\u1c8f\ua8e0-\ua8ff\U00011000-\U000114ff]"),
    }
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_OF_SCRIPT: Mapping[Script, str] = MappingProxyType(
    {"han": "zh", "kana": "ja", "hangul": "ko", "thai": "th", "rtl": "ar", "indic": "hi"}
)
_LATIN: Final = ("en", "fr", "de", "es", "pt", "it", "vi", "id")
_FEW = 8
"""Letters below which a sentence says nothing of its script, and goes by the one before it."""
_SHORT = 25
"""The same for one in Latin after one in a script with narrower lines, which it fits: it is said in passing."""
_NARROW: Final = frozenset[Script]({"han", "kana", "hangul", "thai"})
_SAMPLE = 2000
"""Words from which the language of a channel is told."""
_ENOUGH = 0.2
"""Of a text in a language that has a list, about half are function words; in any other less than a fifth are."""


def scripts(segments: Sequence[Segment]) -> list[Script]:
    """The script of each sentence of one channel; where Japanese is spoken, a sentence all in Han is Japanese."""
    counts = [_count(segment.text) for segment in segments]
    kana, han = sum(count["kana"] for count in counts), sum(count["han"] for count in counts)
    japanese = kana > 0.1 * han
    found: list[Script] = []
    for count in counts:
        script = _script(count, japanese)
        most = _SHORT if script == "latin" and found and found[-1] in _NARROW else _FEW
        found.append(found[-1] if found and sum(count.values()) < most else script)
    return _from_behind(found, counts)


def _from_behind(found: list[Script], counts: Sequence[Counter[Script]]) -> list[Script]:
    """The first sentences, where they are too short to tell, go by the one after them."""
    first = next((at for at, count in enumerate(counts) if sum(count.values()) >= _FEW), 0)
    return [found[first]] * first + found[first:] if found else found


def _count(text: str) -> Counter[Script]:
    if text.isascii():
        return Counter({"latin": len(text)})
    count: Counter[Script] = Counter({script: len(letters.findall(text)) for script, letters in _LETTERS.items()})
    count["latin"] = sum(map(str.isalpha, text)) - sum(count.values())
    return count


def _script(count: Counter[Script], japanese: bool) -> Script:
    cjk = count["han"] + count["kana"]
    weighed: dict[Script, int] = {
        "latin": count["latin"],
        "hangul": 2 * count["hangul"],
        "thai": count["thai"],
        "rtl": count["rtl"],
        "indic": count["indic"],
        "kana" if count["kana"] > 0.1 * count["han"] or (japanese and cjk) else "han": 2 * cjk,
    }
    return max(weighed, key=lambda script: weighed[script])


def languages(segments: Sequence[Segment], found: Sequence[Script]) -> list[str]:
    """The two-letter language of each sentence: as the recogniser says, else told by its function words."""
    usual = _told_by_words(segment.text for segment, script in zip(segments, found, strict=True) if script == "latin")
    return [
        _OF_SCRIPT.get(script) or _said(segment) or ("ru" if _CYRILLIC.search(segment.text) else usual)
        for segment, script in zip(segments, found, strict=True)
    ]


def _said(segment: Segment) -> str:
    return (segment.language or "")[:2].lower()


def _told_by_words(texts: Iterable[str]) -> str:
    words = Counter[str]()
    for text in texts:
        composed = unicodedata.normalize("NFC", text).lower().replace("’", "'")
        words.update(_WORD.findall(composed))
        if words.total() > _SAMPLE:
            break
    shares = {language: _share(words, language) for language in _LATIN}
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= _ENOUGH else ""


def _share(words: Counter[str], language: str) -> float:
    """How many of the words are function words of the language."""
    known = _known(language)
    return sum(number for word, number in words.items() if word in known) / max(1, words.total())


@lru_cache(maxsize=16)
def _known(language: str) -> frozenset[str]:
    return word_list(language).holds | word_list(language).leads
