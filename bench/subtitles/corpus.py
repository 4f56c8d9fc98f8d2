"""The transcripts of a folder, and who says where words begin in them: people, or programs that know it."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from dropscribe.model import Transcript
from dropscribe.render.quality import Reference
from dropscribe.transcript import parse

WORDS = Path(__file__).parents[2] / "tests" / "words"

CONTENT = frozenset(["名詞", "動詞", "形容詞", "副詞", "接続詞", "連体詞", "感動詞", "接頭辞", "代名詞", "形状詞"])
NOMINAL = frozenset(["名詞", "形状詞", "接頭辞", "接尾辞"])


@dataclass(frozen=True, eq=False)
class Sample:
    """One transcript and the language it is in; `marked`: its text with a space before each word, set by people."""

    name: str
    language: str
    raw: bytes
    transcript: Transcript
    marked: str = ""


def samples(folder: Path = WORDS) -> list[Sample]:
    """Every `<language>_<name>.funasr.json` of a folder, with the marks of `<language>_<name>.words.txt`."""
    found = []
    for path in sorted(folder.glob("*.funasr.json")):
        raw, name = path.read_bytes(), path.name.removesuffix(".funasr.json")
        marks = path.with_name(f"{name}.words.txt")
        marked = marks.read_text("utf-8") if marks.exists() else ""
        found.append(Sample(name, path.name[:2], raw, parse(raw), marked))
    return found


def reference(sample: Sample) -> Reference | None:
    """People's marks where there are some; else a program for the language, where it is installed."""
    return _people(sample.marked) if sample.marked else program(sample.language)


def _people(marked: str) -> Reference:
    words = marked.split()
    text, starts = "".join(words), list(accumulate(map(len, words), initial=0))

    def begins(part: str) -> set[int]:
        at = text.index(part)
        return {start - at for start in starts[bisect_left(starts, at) : bisect_left(starts, at + len(part))]}

    return begins


@cache
def program(language: str) -> Reference | None:
    """THULAC for Chinese, MeCab's phrases (bunsetsu) for Japanese, where they are installed; never our own lexicon."""
    makers: dict[str, Callable[[], Reference]] = {"zh": _thulac, "ja": _mecab}
    try:
        return makers[language]() if language in makers else None
    except ImportError:
        return None


def _thulac() -> Reference:
    cut = import_module("thulac").thulac(seg_only=True).cut
    return lambda text: set(accumulate((len(word) for word, _ in cut(text)), initial=0))


def _mecab() -> Reference:
    tagger = import_module("fugashi").Tagger()

    def starts(text: str) -> set[int]:
        words = list(tagger(text))
        edges = list(accumulate((len(word.surface) for word in words), initial=0))
        inner = [at for at, (a, b) in zip(edges[1:], pairwise(words), strict=False) if _begins(a, b)]
        return {0, *inner}

    return starts


def _begins(before: Any, word: Any) -> bool:
    """A phrase begins with a content word that is neither part of a compound nor an auxiliary."""
    last, kind = before.feature.pos1, word.feature.pos1
    if last == "補助記号":
        return bool(kind != "補助記号")
    if kind not in CONTENT or last == "接頭辞" or (kind in ("名詞", "形状詞") and last in NOMINAL):
        return False
    helper = word.feature.pos2 == "非自立可能"
    if kind == "動詞" and helper:
        return bool(before.surface not in ("て", "で") and last not in ("動詞", "助動詞", "名詞"))
    return not (kind == "形容詞" and helper and last != "助詞")
