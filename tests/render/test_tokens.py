"""Tokens: the text to the last space, with times."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Segment, Word
from dropscribe.render.tokens import tokens
from render.documents import REAL, real, said, segments, timed


def test_the_tokens_of_spaced_text_are_its_words_with_their_marks_and_spaces() -> None:
    found = tokens(said("Hello World, this is Alibaba.", 0, 5000, *timed("Hello", "World", "this is", "Alibaba")))

    assert [token.text for token in found] == ["Hello ", "World, ", "this ", "is ", "Alibaba."]
    assert [(token.start_ms, token.end_ms) for token in found][2:4] == [(2000, 2714), (2714, 3000)]


def test_chinese_words_are_not_cut_and_closing_marks_stay_with_them() -> None:
    found = tokens(said("他说：“大家好。”", 0, 4000, *timed("他", "说", "大家", "好")))

    assert [token.text for token in found] == ["他", "说：", "“大家", "好。”"]
    assert [token.start_ms for token in found] == [0, 1000, 2000, 3000]


def test_half_a_sentence_that_is_given_as_one_word_can_still_be_cut() -> None:
    text = "今天我们请到了做语音识别的工程师老周来聊一聊字幕这件小事"

    assert max(len(token.text) for token in tokens(said(text, 0, 9000, Word(0, 9000, text, "")))) <= 16


def test_text_that_no_word_covers_gets_the_time_between_its_neighbours() -> None:
    words = [Word(0, 1000, "We", ""), Word(1000, 2000, "have", ""), Word(4000, 5000, "members", "")]

    found = tokens(said("We have 44 members", 0, 5000, *words))

    assert found[2] == ("44 ", 2000, 4000, False)


def test_without_words_the_time_is_spread_by_display_width_and_marked() -> None:
    found = tokens(said("讲a 座", 0, 500))

    assert [(token.text, token.end_ms, token.spoken) for token in found] == [
        ("讲", 200, False),
        ("a ", 300, False),
        ("座", 500, False),
    ]


def test_a_word_within_the_time_of_the_one_before_it_takes_no_piece_back() -> None:
    twice = "0:0:1,0 --> 0:0:2,0"

    found = tokens(said(2 * twice, 0, 0, Word(0, 134, twice, ""), Word(0, 0, twice, "")))

    assert [token.start_ms for token in found] == sorted(token.start_ms for token in found)


@settings(deadline=None, max_examples=100)
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
        assert all(token.spoken for token in found)
        assert found[0].start_ms == segment.words[0].start_ms
        assert found[-1].end_ms == segment.words[-1].end_ms
