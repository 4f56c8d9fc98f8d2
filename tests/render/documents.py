"""Transcripts for the tests of this folder: built by hand, by chance, and read from real ones."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dropscribe.model import Document, Segment, Transcript, Word
from dropscribe.render.edition import Edition, Presentation
from dropscribe.render.profiles import Subtitles
from dropscribe.transcript import parse

WORDS = Path(__file__).parents[1] / "words"
REAL = sorted(WORDS.glob("*.funasr.json"))


def real(path: Path) -> Transcript:
    return parse(path.read_bytes())


def said(
    text: str,
    start: int = 0,
    end: int = 1000,
    *words: Word,
    channel: int | None = 0,
    speaker: int | None = None,
) -> Segment:
    return Segment(start, end, channel, speaker, None, text, words)


def timed(*texts: str, start: int = 0, each: int = 1000) -> list[Word]:
    """Words of a second each, one after the other."""
    return [Word(start + each * n, start + each * (n + 1), text, "") for n, text in enumerate(texts)]


def spoken(text: str, start: int = 0, each: int = 300, speaker: int | None = None, channel: int | None = 0) -> Segment:
    """A sentence whose words are those between its spaces."""
    words = timed(*text.split(), start=start, each=each)
    return said(text, start, words[-1].end_ms, *words, speaker=speaker, channel=channel)


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


def edition(of: Transcript, speakers: dict[int, str] | None = None, **subtitles: Any) -> Edition:
    return Edition(document(of), Presentation(Subtitles(**subtitles), speakers or {}))


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
    "\u3000",
    "　世界",
]
HOSTILE = [
    "<i>",
    "</v>",
    "&amp;",
    "{\\an8}",
    "{x}",
    "\\N",
    "-->",
    "0:0:1,0 --> 0:0:2,0",
    "12",
    "x" * 50,
    "e\u0301",
    "\u200b",
    "\u202e",
    "👨\u200d👩\u200d👧",
    "\n\n",
    "\x00",
    "\u2028",
    "\ud83d",
    "مرحبا",
]
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
    channel, speaker = draw(st.sampled_from([0, 1, None])), draw(st.sampled_from([None, 0, 1]))
    return Segment(draw(MS), draw(MS), channel, speaker, None, text, tuple(words))


LIMITS = st.builds(
    Subtitles,
    profile=st.sampled_from(["default", "shorts", "podcast", "broadcast", "single-line"]),
    line=st.none() | st.integers(8, 60),
    lines=st.none() | st.integers(1, 4),
    longest=st.none() | st.sampled_from([2.5, 4.0, 10.0]),
    shortest=st.none() | st.sampled_from([0.3, 1.2]),
    gap=st.none() | st.sampled_from([0.0, 0.04, 0.2]),
    cps=st.none() | st.sampled_from([8.0, 30.0]),
    words=st.booleans(),
)
TRANSCRIPTS = st.lists(segments(), max_size=5).map(
    lambda found: transcript(*sorted(found, key=lambda segment: segment.start_ms))
)

SAYINGS = [
    "Yes.",
    "No, never.",
    "I do not think so at all.",
    "And that was all that we heard of it.",
    "你好。",
    "并不是这样。",
    "نعم.",
]


@st.composite
def talks(draw: st.DrawFn) -> Transcript:
    """Two people, or three, on two channels, who interrupt each other in short sentences."""
    at, said_ = 0, []
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.integers(0, 1500))
        channel, speaker = draw(st.sampled_from([0, 1])), draw(st.sampled_from([None, 0, 1]))
        each = draw(st.sampled_from([60, 200, 500]))
        said_.append(spoken(draw(st.sampled_from(SAYINGS)), at, each=each, channel=channel, speaker=speaker))
    return transcript(*said_)


TALKS = talks()
