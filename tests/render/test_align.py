"""Words are found in the text, in whatever shape the service writes them, and their times are repaired."""

from itertools import pairwise

import pytest
from hypothesis import given, settings

from dropscribe.model import Segment, Word
from dropscribe.render.align import Place, places
from render.documents import said, segments, timed

HELLO = "Hello World, this is Alibaba."
SHAPES = {
    "space before": ["Hello", " World", " this is", "Alibaba"],
    "space after": ["Hello ", "World", "this ", "is ", "Alibaba"],
    "several words in one": ["Hello World", "this is Alibaba"],
    "another case": ["hello", "world", "THIS", "is", "ALIBABA"],
    "full width": ["Ｈｅｌｌｏ", "Ｗｏｒｌｄ", "this", "is", "Alibaba"],
    "marks in the words": ["Hello", "World,", "this", "is", "Alibaba."],
    "marks that are not there": ["Hello!", "World", "this", "is", "Alibaba?"],
    "marks as words": ["Hello", "World", ",", "this", "is", "Alibaba", "."],
    "spaces inside": ["Hello  World", "this", "is", "Ali baba"],
}


def found(text: str, *texts: str) -> list[str]:
    return [text[place.begin : place.end] for place in places(said(text, 0, 1000 * len(texts), *timed(*texts)))]


def times(text: str, *words: Word, end: int = 60_000) -> list[tuple[int, int]]:
    return [(place.start_ms, place.end_ms) for place in places(said(text, 0, end, *words))]


@pytest.mark.parametrize("texts", SHAPES.values(), ids=SHAPES.keys())
def test_each_known_shape_of_words_is_found_in_the_text(texts: list[str]) -> None:
    assert "".join("".join(found(HELLO, *texts)).split()).rstrip(".") in (
        "HelloWorldthisisAlibaba",
        "HelloWorld,thisisAlibaba",
    )


def test_a_word_that_was_written_otherwise_leaves_only_itself_out() -> None:
    assert found("We have 44 members", "We", "have", "forty", "four", "members") == ["We", "have", "members"]


def test_a_short_word_is_not_found_inside_another() -> None:
    assert found("costs 1,280 and at that a lot", "costs", "twelve", "a", "and", "at", "that", "a", "lot") == [
        "costs",
        "and",
        "at",
        "that",
        "a",
        "lot",
    ]


def test_words_of_another_text_are_not_used() -> None:
    assert places(said("one two", 0, 700, Word(0, 1, "completely", ""), Word(1, 2, "else", ""))) == []


def test_a_word_of_minutes_is_shortened_at_the_end_where_it_was_spoken() -> None:
    before_pause = times("I thank", Word(0, 40_000, "I", ""), Word(50_000, 51_000, "thank", ""))
    after_pause = times("I thank", Word(0, 40_000, "I", ""), Word(40_000, 41_000, "thank", ""))

    assert before_pause[0] == (0, 1800)
    assert after_pause[0] == (38_200, 40_000)


def test_words_of_no_length_share_what_is_free_up_to_the_next() -> None:
    assert times("a b c", Word(0, 0, "a", ""), Word(0, 0, "b", ""), Word(300, 400, "c", "")) == [
        (0, 150),
        (150, 300),
        (300, 400),
    ]


def test_one_absurd_time_does_not_drag_the_others_along() -> None:
    words = [Word(0, 500, "a", ""), Word(59_000, 59_500, "b", ""), Word(1000, 1500, "c", "")]

    assert times("a b c", *words)[2] == (1000, 1500)
    assert times("a b c", words[0], Word(900_000, 900_500, "b", ""), words[2], end=2000)[2] == (1000, 1500)


def test_a_word_that_was_dropped_from_the_text_lengthens_its_neighbour() -> None:
    segment = said("well yes", 0, 2000, *timed("well", "yes", "um"))

    assert places(segment)[-1] == Place(5, 8, 1000, 3000)


@settings(deadline=None, max_examples=120)
@given(segments())
def test_places_are_in_the_text_in_order_and_their_times_never_go_back(segment: Segment) -> None:
    every = places(segment)

    assert all(0 <= one.begin < one.end <= len(segment.text) for one in every)
    assert all(one.start_ms <= one.end_ms for one in every)
    assert all(a.end <= b.begin and a.start_ms <= b.start_ms for a, b in pairwise(every))
