"""SRT files: read back by a small reader of our own, whatever was said."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render.srt import render
from render.documents import REAL, TRANSCRIPTS, document, real, said, transcript

TIME_LINE = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")


@dataclass(frozen=True)
class Read:
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def parse(text: str) -> list[Read]:
    """A strict reader: blocks between blank lines, each a number, a time line and one or more lines of text."""
    assert text == "" or text.endswith("\n\n")
    found = []
    for number, block in enumerate(text.split("\n\n")[:-1], 1):
        counter, times, *lines = block.split("\n")
        assert counter == str(number)
        assert lines
        assert all(line.strip() and "-->" not in line for line in lines)
        match = TIME_LINE.fullmatch(times)
        assert match
        numbers = [int(part) for part in match.groups()]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:]))
        found.append(Read(start, end, tuple(lines)))
    return found


def letters(text: str) -> str:
    """The text without spaces, control characters and the joiner that protects it."""
    return re.sub("[\\s\x00-\x1f\x7f-\x9f\u2060]+", "", text)


def srt(*spoken: str) -> str:
    return render(document(transcript(*(said(text, 1000 * n, 1000 * n + 900) for n, text in enumerate(spoken)))))


def test_sentences_become_numbered_cues() -> None:
    assert srt("Hello.", "你好。") == (
        "1\n00:00:00,000 --> 00:00:00,900\nHello.\n\n2\n00:00:01,000 --> 00:00:01,900\n你好。\n\n"
    )


def test_silence_is_a_file_with_no_cues() -> None:
    assert render(document(transcript())) == ""
    assert srt("", " \n ", "\x00") == ""


@pytest.mark.parametrize(
    ("hours", "shown"), [(23, "23:59:59,999"), (24, "24:59:59,999"), (99, "99:59:59,999"), (100, "100:59:59,999")]
)
def test_hours_go_beyond_a_day_and_beyond_a_hundred(hours: int, shown: str) -> None:
    start = ((hours * 60 + 59) * 60 + 59) * 1000 + 999

    assert f"\n{shown} --> " in render(document(transcript(said("x", start, start + 1))))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <b> c", "a <\u2060b> c"),
        ("</i> <!x <é", "<\u2060/i> <\u2060!x <\u2060é"),
        ("a < b <3", "a < b <3"),
        ("a --> b", "a --\u2060> b"),
        ("one\n\n2\n00:00:05,000 --> 00:00:06,000\nx", "one 2 00:00:05,000 --\u2060> 00:00:06,000 x"),
        ("a\r\nb\tc\x1bd\x85e\u2028f", "a b c d e f"),
    ],
)
def test_text_cannot_pass_for_markup_times_or_line_ends(text: str, shown: str) -> None:
    (cue,) = parse(srt(text))

    assert " ".join(cue.lines) == shown


@settings(deadline=None)
@given(TRANSCRIPTS)
def test_any_transcript_reads_back_in_order_with_all_its_text(spoken: Transcript) -> None:
    found = parse(render(document(spoken)))

    assert sorted(letters("".join(line for cue in found for line in cue.lines))) == sorted(
        letters("".join(segment.text for segment in spoken.segments))
    )
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
    assert all(cue.end_ms > cue.start_ms for cue in found)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_transcripts_read_back_word_for_word(path: Path) -> None:
    spoken = real(path)

    found = parse(render(document(spoken)))

    shown = letters("".join(line for cue in found for line in cue.lines))
    assert shown == letters("".join(segment.text for segment in spoken.segments))
