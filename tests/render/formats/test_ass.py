"""Advanced SubStation Alpha: styles, names, escapes, hundredths of a second."""

import pytest

from dropscribe.render.formats.ass import render
from render.documents import edition, said, spoken, timed, transcript


def events(text: str) -> list[list[str]]:
    return [line.removeprefix("Dialogue: ").split(",", 9) for line in text.split("\n") if line.startswith("Dialogue: ")]


def styles(text: str) -> list[list[str]]:
    return [line.removeprefix("Style: ").split(",") for line in text.split("\n") if line.startswith("Style: ")]


def test_each_speaker_has_a_style_and_a_name() -> None:
    talk = transcript(spoken("Are you coming?", 0, speaker=0), spoken("No, not today.", 1000, speaker=1))

    text = render(edition(talk, {0: "Anna, the first"}))

    assert [(event[3], event[4]) for event in events(text)] == [("Default", "Anna; the first"), ("Voice1", "Speaker 1")]
    assert len({style[3] for style in styles(text)}) == 2
    assert {len(style) for style in styles(text)} == {23}


def test_the_second_channel_stands_at_the_top() -> None:
    text = render(edition(transcript(said("A", 0, 3000, channel=0), said("B", 1000, 2000, channel=1))))

    assert [style[18] for style in styles(text)] == ["2", "8"]


def test_arabic_is_laid_out_by_the_text_itself() -> None:
    assert [style[-1] for style in styles(render(edition(transcript(said("يولد جميع الناس أحرارا")))))] == ["-1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a {\\an8} b", "a \\{\\an8\\} b"), ("a\\Nb", "a\\\u2060Nb"), ("a\\{b", "a\\\u2060\\{b"), ("a, b, c", "a, b, c")],
)
def test_text_cannot_pass_for_overrides_or_line_ends(text: str, shown: str) -> None:
    ((*_, found),) = events(render(edition(transcript(said(text, 0, 2000)))))

    assert found == shown


def test_lines_of_a_cue_are_lines() -> None:
    ((*_, text),) = events(
        render(edition(transcript(spoken("It is a long way to the sea, and we went there on foot."))))
    )

    assert text == "It is a long way to the sea,\\Nand we went there on foot."


def test_silence_is_a_script_without_events() -> None:
    text = render(edition(transcript()))

    assert styles(text)
    assert events(text) == []


def test_a_pause_in_karaoke_has_a_time_of_its_own() -> None:
    words = [*timed("We", "sing", start=1000, each=300), *timed("and", "rest", start=1900, each=300)]

    ((_, start, *_, text),) = events(
        render(edition(transcript(said("We sing and rest.", 1000, 2500, *words)), words=True))
    )

    assert start == "0:00:01.00"
    assert text == "{\\k30}We {\\k30}sing {\\k30}{\\k30}and {\\k30}rest."
