"""SRT files: read back by a small reader of our own, whatever was said."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render.edition import Edition, Presentation
from dropscribe.render.formats.srt import render
from dropscribe.render.profiles import Subtitles
from render.documents import LIMITS, REAL, TALKS, TRANSCRIPTS, document, edition, real, said, spoken, transcript

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
    return re.sub("[\\s\x00-\x1f\x7f-\x9f\u2060\u200f\ufeff]+", "", text)


def srt(*spoken: str) -> str:
    return render(edition(transcript(*(said(text, 3000 * n, 3000 * n + 900) for n, text in enumerate(spoken)))))


def test_sentences_become_numbered_cues() -> None:
    assert srt("Hello.", "你好。") == (
        "1\n00:00:00,000 --> 00:00:00,900\nHello.\n\n2\n00:00:03,000 --> 00:00:03,900\n你好。\n\n"
    )


def test_silence_is_a_file_with_no_cues() -> None:
    assert render(edition(transcript())) == ""
    assert srt("", " \n ", "\x00") == ""


@pytest.mark.parametrize(
    ("hours", "shown"), [(23, "23:59:59,999"), (24, "24:59:59,999"), (99, "99:59:59,999"), (100, "100:59:59,999")]
)
def test_hours_go_beyond_a_day_and_beyond_a_hundred(hours: int, shown: str) -> None:
    start = ((hours * 60 + 59) * 60 + 59) * 1000 + 999

    assert f"\n{shown} --> " in render(edition(transcript(said("x", start, start + 1))))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <b> c", "a <\u2060b> c"),
        ("</i> <!x <é", "<\u2060/i> <\u2060!x <\u2060é"),
        ("a < b <3", "a <\u2060 b <\u20603"),
        ("a --> b", "a --\u2060> b"),
        ("{\\an8}top \\N x", "{\u2060\\\u2060an8}top \\\u2060N x"),
        ("one\n\n2\n00:00:05,000 --> 00:00:06,000\nx", "one 2 00:\u206000:05,000 --\u2060> 00:\u206000:06,000 x"),
        ("a\r\nb\tc\x1bd\x85e\u2028f", "a b c d e f"),
    ],
)
def test_text_cannot_pass_for_markup_times_or_line_ends(text: str, shown: str) -> None:
    (cue,) = parse(srt(text))

    assert " ".join(cue.lines) == shown


def test_a_speaker_with_a_name_is_named_where_another_spoke_before() -> None:
    talk = transcript(
        spoken("Are you coming?", 0, speaker=0),
        spoken("No.", 1500, speaker=1),
        spoken("And this is all that there is to say about it, because it is late.", 2500, speaker=1),
    )

    found = parse(render(edition(talk, {0: "Anna", 1: "Ben"})))

    assert [cue.lines[0].partition(": ")[0] for cue in found][:2] == ["Anna", "Ben"]
    assert all("Ben" not in "".join(cue.lines) for cue in found[2:])
    assert parse(render(edition(talk)))[0].lines == ("Are you coming?",)


def test_a_line_of_arabic_that_begins_with_latin_is_laid_out_from_right_to_left() -> None:
    ((line,),) = (cue.lines for cue in parse(srt("NATO قال ذلك أمس")))

    assert line.startswith("\u200f")


@settings(deadline=None, max_examples=40)
@given(TRANSCRIPTS, LIMITS)
def test_any_transcript_reads_back_in_order_with_all_its_text(spoken: Transcript, limits: Subtitles) -> None:
    found = parse(render(Edition(document(spoken), Presentation(limits))))

    assert sorted(letters("".join(line for cue in found for line in cue.lines))) == sorted(
        letters("".join(segment.text for segment in spoken.segments))
    )
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
    assert all(cue.end_ms > cue.start_ms for cue in found)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_transcripts_read_back_word_for_word(path: Path) -> None:
    spoken = real(path)

    found = parse(render(edition(spoken)))

    shown = letters("".join(line for cue in found for line in cue.lines))
    assert shown == letters("".join(segment.text for segment in spoken.segments))


def phone(**subtitles) -> Edition:
    """Two people on the phone, a channel each, who speak at once."""
    talk = transcript(
        spoken("Are you coming?", 0, each=500, channel=0),
        spoken("Yes, I am.", 300, each=400, channel=1),
        spoken("It is a long way to the sea, so take your time.", 4000, channel=1),
    )
    return edition(talk, {0: "Anna", 1: "Ben"}, **subtitles)


def test_in_a_dialog_each_voice_has_a_line_behind_a_dash_and_its_name() -> None:
    first, second = parse(render(phone(dialog=True)))

    assert first.lines == ("- Anna: Are you coming?", "- Ben: Yes, I am.")
    assert second.lines[0].startswith("Ben: It is")


def test_two_voices_share_a_cue_only_where_that_is_asked_for() -> None:
    assert [cue.lines for cue in parse(render(phone()))][:2] == [("Anna: Are you coming?",), ("Ben: Yes, I am.",)]


def test_a_voice_of_which_nothing_can_be_seen_makes_no_dialog() -> None:
    talk = transcript(said("\x00\x01", 0, 1500, channel=0), said("Yes, I am.", 300, 1500, channel=1))

    assert [cue.lines for cue in parse(render(edition(talk, dialog=True)))] == [("Yes, I am.",)]


def test_a_dialog_in_arabic_is_laid_out_from_right_to_left() -> None:
    talk = transcript(said("نعم، أعرف ذلك", 0, 1500, channel=0), said("NATO قال ذلك", 300, 1500, channel=1))

    (cue,) = parse(render(edition(talk, dialog=True)))

    assert cue.lines == ("- نعم، أعرف ذلك", "\u200f- NATO قال ذلك")


@settings(deadline=None, max_examples=40)
@given(TALKS, LIMITS)
def test_dialogs_read_back_with_every_line_of_every_voice(talk: Transcript, limits: Subtitles) -> None:
    dashed = re.compile("^\u200f?(?:- ?)?")
    together, apart = (
        parse(render(Edition(document(talk), Presentation(replace(limits, dialog=dialog))))) for dialog in (True, False)
    )

    lines = [dashed.sub("", line) for cue in together for line in cue.lines]
    assert sorted(lines) == sorted(line.removeprefix("\u200f") for cue in apart for line in cue.lines)
