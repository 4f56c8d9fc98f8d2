"""Every format of the table writes every transcript, as UTF-8, and holds its text."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.model import Transcript
from dropscribe.render import (
    FORMATS,
    Edition,
    Presentation,
    TextLost,
    all_outputs,
    render_all,
    render_with,
    suffix_of,
)
from dropscribe.render.profiles import Subtitles
from render.documents import LIMITS, TALKS, TRANSCRIPTS, document, said, spoken, transcript

SHOWN_WHOLE = [name for name in FORMATS if name not in ("raw", "json", "verbose_json", "md")]


def test_the_wanted_outputs_are_rendered_and_no_others() -> None:
    of = document(transcript(said("Hello.")))

    assert set(render_all(of, ["json", "srt"]).texts) == {"json", "srt"}
    assert set(render_all(of, ["srt"]).texts) == {"srt"}


def test_a_format_is_listed_under_its_own_name_and_has_a_suffix_of_its_own() -> None:
    assert all(format.name == name for name, format in FORMATS.items())
    assert len({format.suffix for format in FORMATS.values()}) == len(FORMATS)
    assert "error.json" not in {format.suffix for format in FORMATS.values()}


def test_half_a_character_becomes_a_replacement_character() -> None:
    of = document(transcript(said("a\ud800b")), settings={"vocabulary_id": "\udfff"})

    rendered = render_all(of, FORMATS).texts

    assert '"a\ufffdb"' in rendered["json"].decode()
    assert all("a\ufffdb" in rendered[name].decode() for name in SHOWN_WHOLE)


def test_the_raw_answer_comes_through_byte_for_byte() -> None:
    raw = b'{"transcripts": [ ] }\xff'

    assert render_all(document(transcript(), raw=raw), ["raw"]).texts == {"raw": raw}


@settings(deadline=None, max_examples=40)
@given(TRANSCRIPTS, LIMITS)
def test_any_transcript_gives_utf8_without_bom_and_with_plain_line_ends(of: Transcript, limits: Subtitles) -> None:
    rendering = render_all(document(of, raw=b"{}\n"), FORMATS, Presentation(limits, {0: "Anna"}))

    assert rendering.notes == ()
    for content in rendering.texts.values():
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        assert content.decode() == "" or content.endswith(b"\n")


def lossy(edition: Edition) -> str:
    """A writer that loses a letter wherever cues were cut."""
    text = FORMATS["srt"].render(edition)
    assert isinstance(text, str)
    return text if edition.plainly else text.replace("e", "", 1)


def broken(edition: Edition) -> str:
    """A writer of JSON that is none, wherever cues were cut."""
    text = FORMATS["json"].render(edition)
    assert isinstance(text, str)
    return text if edition.plainly else text.replace("{", "", 2)


def test_a_json_that_is_none_is_not_handed_out(talk: Transcript) -> None:
    rendering = render_with({"json": replace(FORMATS["json"], render=broken)}, document(talk), ["json"])

    assert json.loads(rendering.texts["json"])["text"] == talk.text
    assert rendering.notes


def always_lossy(edition: Edition) -> str:
    return "1\n00:00:00,000 --> 00:00:01,000\nsomething else\n\n"


@pytest.fixture
def talk() -> Iterator[Transcript]:
    yield transcript(spoken("Hello there, all of you."), spoken("And goodbye to you.", 2000))


def test_a_file_that_does_not_hold_its_text_is_written_sentence_by_sentence_and_said_so(talk: Transcript) -> None:
    rendering = render_with({"srt": replace(FORMATS["srt"], render=lossy)}, document(talk), ["srt"])

    assert b"\nHello there, all of you.\n" in rendering.texts["srt"]
    assert [note for note in rendering.notes if "one cue a sentence" in note and "srt" in note]


def test_a_file_that_cannot_hold_its_text_is_not_written_at_all(talk: Transcript) -> None:
    with pytest.raises(TextLost, match="srt"):
        render_with({"srt": replace(FORMATS["srt"], render=always_lossy)}, document(talk), ["srt"])


def phone() -> Transcript:
    """Two channels; the speakers of one are told apart."""
    return transcript(
        spoken("Are you coming?", 0, channel=0, speaker=0),
        spoken("Yes, I am.", 300, channel=1),
        spoken("No, you are not.", 1200, channel=0, speaker=1),
    )


APART = Presentation(Subtitles(channel_files=True))


def test_each_channel_gets_a_further_file_beside_the_one_of_all() -> None:
    rendering = render_all(document(phone()), ["srt", "vtt"], APART)

    assert list(rendering.texts) == ["srt", "srt-ch0", "srt-ch1", "vtt"]
    assert rendering.texts["srt"] == render_all(document(phone()), ["srt"]).texts["srt"]
    assert b"Yes, I am." not in rendering.texts["srt-ch0"]
    assert rendering.texts["srt-ch1"].splitlines()[2:] == [b"Yes, I am.", b""]


def test_the_file_of_a_channel_is_what_it_would_be_had_nothing_else_been_recorded() -> None:
    alone = transcript(*(segment for segment in phone().segments if segment.channel == 0))

    rendered = render_all(document(phone()), ["srt"], APART).texts

    assert rendered["srt-ch0"] == render_all(document(alone), ["srt"]).texts["srt"]


def test_where_one_channel_speaks_there_is_no_further_file() -> None:
    of = transcript(spoken("Are you coming?", channel=1), said(" ", 2000, 3000, channel=0))

    assert set(render_all(document(of), ["srt"], APART).texts) == {"srt"}
    assert set(render_all(document(transcript()), ["srt"], APART).texts) == {"srt"}


def test_a_channel_without_a_number_is_in_the_file_of_all_alone() -> None:
    of = transcript(spoken("Are you coming?", channel=None), spoken("Yes.", 300, channel=1))

    assert set(render_all(document(of), ["srt"], APART).texts) == {"srt", "srt-ch1"}


def test_it_is_known_beforehand_which_files_there_will_be_and_their_suffixes_differ() -> None:
    outputs = all_outputs(document(phone()), FORMATS, APART)

    assert outputs == list(render_all(document(phone(), raw=b"{}"), FORMATS, APART).texts)
    assert suffix_of("srt-ch1") == "ch1.srt"
    assert len(set(map(suffix_of, outputs))) == len(outputs)


@settings(deadline=None, max_examples=25)
@given(TRANSCRIPTS | TALKS, LIMITS, st.booleans())
def test_the_files_of_channels_hold_what_was_said_on_them_and_nothing_else(
    of: Transcript, limits: Subtitles, dialog: bool
) -> None:
    shown = Presentation(replace(limits, channel_files=True, dialog=dialog))

    rendering = render_all(document(of), ["srt"], shown)

    assert rendering.notes == ()
    for output, content in rendering.texts.items():
        if output != "srt":
            own = [segment for segment in of.segments if f"srt-ch{segment.channel}" == output]
            alone = replace(shown, subtitles=replace(shown.subtitles, channel_files=False))
            assert content == render_all(document(transcript(*own)), ["srt"], alone).texts["srt"]
