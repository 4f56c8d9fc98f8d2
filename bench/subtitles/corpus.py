"""The transcripts of tests/words, and programs that know where words begin, as independent references."""

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
    """One transcript and the language it is in."""

    name: str
    language: str
    raw: bytes
    transcript: Transcript


def samples(folder: Path = WORDS) -> list[Sample]:
    """Every `<language>_<name>.funasr.json` of a folder."""
    found = []
    for path in sorted(folder.glob("*.funasr.json")):
        raw = path.read_bytes()
        found.append(Sample(path.name.removesuffix(".funasr.json"), path.name[:2], raw, parse(raw)))
    return found


@cache
def reference(language: str) -> Reference | None:
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
