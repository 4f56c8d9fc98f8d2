"""Cues: short enough to read, in order, one at a time, and not a letter lost."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Segment, Transcript, Word
from dropscribe.render.align import tokens
from dropscribe.render.cues import LINE_CELLS, LONGEST_MS, Cue, cues, cut
from dropscribe.render.layout import width_of
from render.documents import REAL, TRANSCRIPTS, real, said, segments, transcript


def texts(found: list[Cue]) -> list[str]:
    return ["".join(cue.lines) for cue in found]


def test_a_short_sentence_is_one_cue_with_its_own_times() -> None:
    assert cut(said("Hello world.", 100, 3820)) == [Cue(100, 3820, 0, ("Hello world.",))]


def test_a_sentence_wider_than_a_line_is_broken_near_its_middle() -> None:
    (cue,) = cut(said("We will do our best to keep things moving, given our circumstances.", 0, 5000))

    assert cue.lines == ("We will do our best to keep things moving, ", "given our circumstances.")


def test_a_long_sentence_is_split_at_its_punctuation() -> None:
    found = cut(said("今天我们请到了做语音识别的工程师老周，来聊一聊字幕这件小事，大家先打个招呼吧。", 0, 12_000))

    assert texts(found) == ["今天我们请到了做语音识别的工程师老周，", "来聊一聊字幕这件小事，大家先打个招呼吧。"]


def test_a_long_pause_divides_a_sentence_without_punctuation() -> None:
    words = [
        Word(0, 500, "well", ""),
        Word(500, 1000, "then", ""),
        Word(8000, 8500, "we", ""),
        Word(8500, 9000, "go", ""),
    ]

    found = cut(said("well then we go", 0, 9000, *words))

    assert [(cue.start_ms, cue.end_ms, cue.lines) for cue in found] == [
        (0, 1000, ("well then ",)),
        (8000, 9000, ("we go",)),
    ]


def test_words_without_any_mark_or_pause_are_cut_between_words_only() -> None:
    text = " ".join(["subtitle"] * 60)

    found = cut(said(text, 0, 40_000))

    assert len(found) > 5
    assert all(cue.strip().split() == ["subtitle"] * len(cue.split()) for cue in texts(found))


def test_a_single_word_too_wide_for_a_line_is_left_whole() -> None:
    assert texts(cut(said("x" * 300, 0, 3000))) == ["x" * 300]


def test_one_word_heard_for_a_minute_leaves_the_screen() -> None:
    (cue,) = cut(said("Hm.", 5000, 65_000))

    assert (cue.start_ms, cue.end_ms) == (5000, 5000 + LONGEST_MS)


def test_a_sentence_without_text_or_of_spaces_is_no_cue() -> None:
    assert cues(transcript(said(""), said(" \u3000\n"))) == []


def test_channels_may_speak_at_once_and_are_in_order_of_time() -> None:
    found = cues(transcript(said("A", 0, 3000, channel=0), said("B", 1000, 2000, channel=1)))

    assert [(cue.start_ms, cue.end_ms, cue.channel) for cue in found] == [(0, 3000, 0), (1000, 2000, 1)]


def test_sentences_of_one_channel_that_overlap_follow_each_other() -> None:
    found = cues(transcript(said("A", 0, 3000), said("B", 2000, 4000)))

    assert [(cue.start_ms, cue.end_ms) for cue in found] == [(0, 2000), (2000, 4000)]


def test_sentences_at_the_same_instant_can_all_be_seen() -> None:
    found = cues(transcript(said("A", 5000, 5000), said("B", 5000, 5000), said("C", 5000, 5000)))

    assert [cue.lines for cue in found] == [("A",), ("B",), ("C",)]
    assert all(cue.end_ms - cue.start_ms >= 250 for cue in found)


@settings(deadline=None)
@given(segments())
def test_the_cues_of_a_sentence_joined_are_its_text(segment: Segment) -> None:
    assert "".join(texts(cut(segment))) == (segment.text if segment.text.strip() else "")


@settings(deadline=None)
@given(segments())
def test_a_cue_is_never_too_long_or_too_wide_unless_it_is_one_token(segment: Segment) -> None:
    single = {token.text for token in tokens(segment)}

    for cue in cut(segment):
        assert cue.end_ms - cue.start_ms <= LONGEST_MS
        assert len(cue.lines) <= 2
        assert all(width_of([line]) <= LINE_CELLS or line in single for line in cue.lines)


def assert_well_timed(found: list[Cue]) -> None:
    assert all(cue.end_ms > cue.start_ms for cue in found)
    assert all(before.start_ms <= after.start_ms for before, after in pairwise(found))
    for channel in {cue.channel for cue in found}:
        own = [cue for cue in found if cue.channel == channel]
        assert all(before.end_ms <= after.start_ms for before, after in pairwise(own))


@settings(deadline=None)
@given(TRANSCRIPTS)
def test_cues_are_in_order_take_time_and_never_overlap_within_a_channel(spoken: Transcript) -> None:
    assert_well_timed(cues(spoken))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_transcripts_keep_their_text_and_fit_the_screen(path: Path) -> None:
    spoken = real(path)

    found = cues(spoken)

    assert "".join(texts(found)) == "".join(segment.text for segment in spoken.segments)
    assert all(width_of([line]) <= LINE_CELLS for cue in found for line in cue.lines)
    assert all(cue.end_ms - cue.start_ms <= LONGEST_MS for cue in found)
    assert_well_timed(found)
