"""Transcripts for the tests of this folder: built by hand, by chance, and read from real ones."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dropscribe.model import Document, Segment, Transcript, Word
from dropscribe.transcript import parse

WORDS = Path(__file__).parents[1] / "words"
REAL = sorted(WORDS.glob("*.funasr.json"))


def real(path: Path) -> Transcript:
    return parse(path.read_bytes())


def said(text: str, start: int = 0, end: int = 1000, *words: Word, channel: int | None = 0) -> Segment:
    return Segment(start, end, channel, None, None, text, words)


def transcript(*segments: Segment) -> Transcript:
    return Transcript(None, "\n".join(segment.text for segment in segments), segments)


def document(spoken: Transcript, **facts: Any) -> Document:
    known: dict[str, Any] = {
        "source_name": "a/talk.mp3",
        "size": 7,
        "sha256": "0" * 64,
        "model": "fun-asr",
        "settings": {},
        "task_id": "t-1",
    }
    return Document(**known | facts, transcript=spoken)


MS = st.integers(0, 60_000)
SPOKEN = [
    "Hello",
    " ",
    "world",
    ", ",
    ". ",
    "这里",
    "是",
    "，",
    "。",
    "“",
    "”",
    "GPT-4o",
    "3.5%",
    "ก",
    "ำ",
    "한국어",
    "😀",
]
HOSTILE = ["<i>", "-->", "0:0:1,0 --> 0:0:2,0", "12", "x" * 50, "e\u0301", "\u200b", "\n\n", "\x00", "\u2028", "\ud83d"]
PIECES = st.sampled_from(SPOKEN) | st.sampled_from(HOSTILE)
TEXTS = st.lists(PIECES | st.text(st.characters(codec=None), max_size=6), max_size=40).map("".join)
A_WORD = st.builds(Word, MS, MS, PIECES, st.sampled_from(["", ", ", "。"]))


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """Words that are the text's, words that are not, and none at all; times in any order."""
    text = draw(TEXTS)
    words = draw(st.lists(A_WORD, max_size=8))
    if draw(st.booleans()):
        start = draw(MS)
        words = [Word(start + 400 * n, start + 400 * (n + 1), part, "") for n, part in enumerate(text.split())]
    return Segment(draw(MS), draw(MS), draw(st.sampled_from([0, 1, None])), None, None, text, tuple(words))


TRANSCRIPTS = st.lists(segments(), max_size=5).map(
    lambda found: transcript(*sorted(found, key=lambda segment: segment.start_ms))
)
