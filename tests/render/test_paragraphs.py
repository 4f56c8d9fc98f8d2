"""Sentences joined to paragraphs."""

from dropscribe.render.paragraphs import paragraphs
from render.documents import edition, said, spoken, transcript


def texts(*segments) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(edition(transcript(*segments)))]


def test_a_paragraph_goes_on_until_a_long_pause_or_another_speaker() -> None:
    found = texts(
        spoken("One.", 0, speaker=0),
        spoken("Two.", 500, speaker=0),
        spoken("Three.", 900, speaker=1),
        spoken("Four.", 9000, speaker=1),
    )

    assert found == ["One. Two.", "Three.", "Four."]


def test_a_long_speech_is_several_paragraphs() -> None:
    assert len(texts(*(spoken("A sentence.", 700 * at) for at in range(12)))) == 3
    assert len(texts(*(spoken("word " * 100, 40_000 * at, each=390) for at in range(3)))) == 2


def test_chinese_sentences_are_joined_without_a_space() -> None:
    assert texts(said("你好。", 0, 500), said("再见。", 600, 900)) == ["你好。再见。"]


def test_what_says_nothing_is_no_paragraph() -> None:
    assert texts(said(" \x00\n"), said("")) == []
