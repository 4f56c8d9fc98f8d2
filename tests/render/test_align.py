"""Words give times to the text, in whatever shape the service writes them."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Segment, Word
from dropscribe.render.align import tokens
from render.documents import REAL, real, said, segments

HELLO = "Hello World, this is Alibaba."
SHAPES = {
    "space before": ["Hello", " World", " this is", "Alibaba"],
    "space after": ["Hello ", "World", "this ", "is ", "Alibaba"],
    "several words in one": ["Hello World", "this is Alibaba"],
    "another case": ["hello", "world", "THIS", "is", "ALIBABA"],
    "punctuation as words": ["Hello", "World", ",", "this", "is", "Alibaba", "."],
}


def timed(*texts: str) -> list[Word]:
    """Words of a second each."""
    return [Word(1000 * n, 1000 * (n + 1), text, "") for n, text in enumerate(texts)]


@pytest.mark.parametrize("texts", SHAPES.values(), ids=SHAPES.keys())
def test_each_known_shape_of_words_gives_the_text_and_times_in_order(texts: list[str]) -> None:
    found = tokens(said(HELLO, 0, 1000 * len(texts), *timed(*texts)))

    assert [token.text for token in found] == ["Hello ", "World, ", "this ", "is ", "Alibaba."]
    assert found[0].start_ms == 0
    assert found[-1].end_ms == 1000 * len(texts)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))


def test_chinese_words_are_not_cut_and_closing_marks_stay_with_them() -> None:
    found = tokens(said("他说：“大家好。”", 0, 4000, *timed("他", "说", "大家", "好")))

    assert [token.text for token in found] == ["他", "说：", "“大家", "好。”"]
    assert [token.start_ms for token in found] == [0, 1000, 2000, 3000]


def test_text_that_no_word_covers_gets_the_time_between_its_neighbours() -> None:
    words = [Word(0, 1000, "We", ""), Word(1000, 2000, "have", ""), Word(4000, 5000, "members", "")]

    found = tokens(said("We have 44 members", 0, 5000, *words))

    assert [(token.text, token.start_ms, token.end_ms) for token in found][2] == ("44 ", 2000, 4000)


def test_words_of_another_text_are_not_used() -> None:
    found = tokens(said("one two", 0, 700, Word(0, 1, "completely", ""), Word(1, 2, "else", "")))

    assert [(token.start_ms, token.end_ms) for token in found] == [(0, 350), (350, 700)]


def test_without_words_the_time_is_spread_by_display_width() -> None:
    found = tokens(said("讲a 座", 0, 500))

    assert [(token.text, token.end_ms) for token in found] == [("讲", 200), ("a ", 300), ("座", 500)]


def test_a_word_of_minutes_is_shortened_at_the_end_where_it_was_spoken() -> None:
    before_pause = tokens(said("I thank", 0, 300_000, Word(0, 200_000, "I", ""), Word(290_000, 291_000, "thank", "")))
    after_pause = tokens(said("I thank", 0, 300_000, Word(0, 200_000, "I", ""), Word(200_000, 201_000, "thank", "")))

    assert (before_pause[0].start_ms, before_pause[0].end_ms) == (0, 1800)
    assert (after_pause[0].start_ms, after_pause[0].end_ms) == (198_200, 200_000)


@settings(deadline=None)
@given(segments())
def test_tokens_joined_are_the_text_and_their_times_never_go_back(segment: Segment) -> None:
    found = tokens(segment)

    assert "".join(token.text for token in found) == segment.text
    assert all(before.start_ms <= after.start_ms for before, after in pairwise(found))
    assert all(token.start_ms <= token.end_ms for token in found)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_in_real_transcripts_every_sentence_begins_and_ends_with_its_words(path: Path) -> None:
    for segment in real(path).segments:
        if segment.end_ms - segment.start_ms > 60_000:
            continue  # the hearing begins with two words of minutes
        found = tokens(segment)
        assert found[0].start_ms == segment.words[0].start_ms
        assert found[-1].end_ms == segment.words[-1].end_ms
