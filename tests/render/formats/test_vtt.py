"""WebVTT: what the specification asks of escapes, voices and places."""

from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render.edition import Edition, Presentation
from dropscribe.render.formats.vtt import render
from dropscribe.render.profiles import Subtitles
from render.documents import LIMITS, TRANSCRIPTS, document, edition, said, spoken, transcript


def test_silence_is_a_valid_file() -> None:
    assert render(edition(transcript())) == "WEBVTT\n\n"


def test_speakers_are_voices_and_their_names_are_escaped() -> None:
    talk = transcript(spoken("Are you coming?", 0, speaker=0), spoken("No, not today.", 1000, speaker=1))

    text = render(edition(talk, {0: "Anna & <Co>"}))

    assert "\n<v Anna &amp; &lt;Co&gt;>Are you coming?</v>\n" in text
    assert "\n<v Speaker 1>No, not today.</v>\n" in text


def test_a_single_voice_is_no_voice() -> None:
    assert "<v" not in render(edition(transcript(spoken("Are you coming?"))))


def test_the_second_channel_speaks_at_the_top() -> None:
    text = render(edition(transcript(said("A", 0, 3000, channel=0), said("B", 1000, 2000, channel=1))))

    assert "00:00:00.000 --> 00:00:03.000\n<v Channel 0>A</v>" in text
    assert "00:00:01.000 --> 00:00:02.000 line:10%\n<v Channel 1>B</v>" in text


def test_words_are_timed_where_that_is_wanted() -> None:
    text = render(edition(transcript(spoken("We sing & dance.", 1000)), words=True))

    assert text.endswith("We <00:00:01.300>sing <00:00:01.600>&amp; <00:00:01.900>dance.\n\n")
    assert "::cue(:future)" in text


def test_times_that_were_only_reckoned_are_not_shown_as_word_times() -> None:
    assert "<0" not in render(edition(transcript(said("We sing and dance.", 1000, 3000)), words=True))


@settings(deadline=None, max_examples=40)
@given(TRANSCRIPTS, LIMITS)
def test_no_arrow_and_no_empty_line_is_ever_inside_a_cue(of: Transcript, limits: Subtitles) -> None:
    head, *blocks = render(Edition(document(of), Presentation(limits))).removesuffix("\n\n").split("\n\n")

    assert head == "WEBVTT"
    for block in blocks:
        times, *lines = block.split("\n")
        if times != "STYLE":
            assert times.count(" --> ") == 1
            assert lines
            assert all(line.strip() and "-->" not in line for line in lines)
