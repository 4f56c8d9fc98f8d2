"""Cues: short enough to read, in order, one at a time, one speaker each, and not a letter lost."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from dropscribe.model import Transcript, Word
from dropscribe.render.characters import cells, clusters
from dropscribe.render.cues import Cue, cues, sentence_cues
from dropscribe.render.plain import plain
from dropscribe.render.profiles import Limits, Subtitles, limits_for
from render.documents import LIMITS, REAL, TRANSCRIPTS, real, said, spoken, timed, transcript

DEFAULT = Subtitles()


def cut(*segments, **subtitles) -> list[Cue]:
    return cues(transcript(*segments), Subtitles(**subtitles))


def texts(found: list[Cue]) -> list[str]:
    return [" / ".join(cue.texts) for cue in found]


def letters(text: str) -> str:
    return "".join(text.split())


def test_short_sentences_share_a_cue_where_they_fit() -> None:
    assert texts(cut(spoken("Yes, we do."), spoken("Thank you very much for asking.", 1000))) == [
        "Yes, we do. / Thank you very much for asking."
    ]


def test_a_long_sentence_is_cut_where_a_person_would() -> None:
    text = (
        "I want to tell you about the time when my grandmother decided to walk across the whole country, because she "
        "believed that nobody should be afraid of the long road that lies in front of them."
    )

    assert texts(cut(spoken(text))) == [
        "I want to tell you about the time / when my grandmother decided",
        "to walk across the whole country,",
        "because she believed that nobody / should be afraid of the long road",
        "that lies in front of them.",
    ]


def test_another_speaker_is_another_cue() -> None:
    found = cut(spoken("Are you coming?", 0, speaker=0), spoken("No, not today.", 1000, speaker=1))

    assert [(cue.speaker, *cue.texts) for cue in found] == [(0, "Are you coming?"), (1, "No, not today.")]


def test_a_long_pause_divides_a_sentence_without_punctuation() -> None:
    words = [*timed("well", "then", each=500), *timed("we", "go", start=8000, each=500)]

    found = cut(said("well then we go", 0, 9000, *words))

    assert [(cue.start_ms, *cue.texts) for cue in found] == [(0, "well then"), (8000, "we go")]
    assert found[0].end_ms <= 2000


def test_words_without_any_mark_or_pause_are_cut_between_words_only() -> None:
    found = cut(spoken(" ".join(["subtitle"] * 200)))

    assert all(set(text.split()) <= {"subtitle", "/"} for text in texts(found))
    assert all(cells(line) <= 42 for cue in found for line in cue.texts)


def test_a_word_too_wide_for_a_line_is_cut_between_what_people_take_for_characters() -> None:
    family = "👨\u200d👩\u200d👧"

    found = cut(said(family * 30, 0, 9000))

    lines = [line for cue in found for line in cue.texts]
    assert letters("".join(lines)) == family * 30
    assert all(set(clusters(line)) == {family} for line in lines)
    assert all(cells(line) <= 42 for line in lines)


def test_an_address_is_cut_after_its_marks() -> None:
    address = "https://example.com/" + "/".join(["folder"] * 12)

    lines = [line for cue in cut(said(address, 0, 9000)) for line in cue.texts]

    assert "".join(lines) == address
    assert all(line.endswith("/") for line in lines[:-1])


def test_a_sentence_without_text_or_of_spaces_is_no_cue() -> None:
    assert cut(said(""), said(" \u3000\n")) == []


def test_channels_may_speak_at_once_and_are_in_order_of_time() -> None:
    found = cut(said("A", 0, 3000, channel=0), said("B", 1000, 2000, channel=1))

    assert [(cue.start_ms, cue.end_ms, cue.channel) for cue in found] == [(0, 3000, 0), (1000, 2000, 1)]


def test_sentences_of_one_channel_that_overlap_follow_each_other() -> None:
    first, second = cut(said("A", 0, 3000, speaker=0), said("B", 2000, 4000, speaker=1))

    assert first.end_ms <= second.start_ms
    assert second.start_ms <= 2100


def test_all_words_at_one_instant_are_one_cue() -> None:
    words = [Word(5000, 5000, text, "") for text in ("now", "all", "of", "it", "comes", "at", "once")]

    (cue,) = cut(said("now all of it comes at once", 5000, 5000, *words))

    assert 833 <= cue.end_ms - cue.start_ms <= 3000


def test_what_nobody_could_read_in_time_is_shown_whole_all_the_same() -> None:
    found = cut(spoken(" ".join(f"word{number}" for number in range(300)), each=20))

    assert letters("".join(texts(found)).replace("/", "")) == "".join(f"word{number}" for number in range(300))


def test_each_limit_alone_is_kept() -> None:
    speech = spoken("and so it goes on without an end " * 12, each=200)

    assert all(cells(line) <= 20 for cue in cut(speech, line=20) for line in cue.texts)
    assert all(len(cue.lines) == 1 for cue in cut(speech, lines=1))
    assert max(len(cue.lines) for cue in cut(speech, lines=3)) == 3
    assert all(cue.end_ms - cue.start_ms <= 2500 for cue in cut(speech, longest=2.5))
    assert all(b.start_ms - a.end_ms >= 150 for a, b in pairwise(cut(speech, gap=0.15)))
    assert min(cue.end_ms - cue.start_ms for cue in cut(speech, shortest=2.0)) >= 2000


def test_a_slower_reader_is_given_more_time() -> None:
    speech = [spoken("Somebody says quite a lot in a very short time.", 4000 * at, each=130) for at in range(4)]

    slow, quick = cut(*speech, cps=12), cut(*speech, cps=30)

    assert sum(cue.end_ms - cue.start_ms for cue in slow) > sum(cue.end_ms - cue.start_ms for cue in quick)


def test_room_for_a_name_is_left_in_the_first_line() -> None:
    label = lambda *_: "Anna-Maria: "  # noqa: E731

    first = cues(transcript(spoken("and so it goes on without an end " * 3)), DEFAULT, "srt", label)[0]

    assert cells("Anna-Maria: " + first.texts[0]) <= 42


def test_a_word_of_english_among_arabic_is_read_from_left_to_right() -> None:
    arabic = "يولد جميع الناس أحرارا متساوين في الكرامة"

    found = cut(
        said(arabic, 0, 3000, speaker=0), said("Yes.", 4000, 5000, speaker=1), said(f"NATO {arabic}", 6000, 9000)
    )

    assert [(cue.script, cue.right_to_left) for cue in found] == [("rtl", True), ("rtl", False), ("rtl", True)]


def check(found: list[Cue], of: Transcript, limits: Limits | None = None) -> None:
    """What holds for every transcript and every limits."""
    for channel in {segment.channel for segment in of.segments}:
        own = [cue for cue in found if cue.channel == channel]
        whole = "".join(segment.text for segment in of.segments if segment.channel == channel)
        assert letters("".join(token.text for cue in own for line in cue.lines for token in line)) == letters(whole)
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(own))
    assert all(0 < cue.end_ms - cue.start_ms <= cue.limits.longest_ms for cue in found)
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(found))
    assert all(len(cue.lines) <= cue.limits.lines for cue in found)
    for cue in found:
        for line in map(plain, cue.texts):
            assert cells(line) <= cue.limits.line or len(list(clusters(line))) == 1


@settings(deadline=None, max_examples=80)
@given(TRANSCRIPTS, LIMITS)
def test_whatever_is_said_nothing_is_lost_mixed_wide_long_or_out_of_order(
    any_speech: Transcript, limits: Subtitles
) -> None:
    check(cues(any_speech, limits), any_speech)


@settings(deadline=None, max_examples=40)
@given(TRANSCRIPTS)
def test_one_cue_a_sentence_loses_nothing_either(any_speech: Transcript) -> None:
    found = sentence_cues(any_speech, DEFAULT)

    assert letters("".join(sorted("".join("".join(cue.texts) for cue in found)))) == letters(
        "".join(sorted("".join(segment.text for segment in any_speech.segments)))
    )
    assert all(cue.end_ms > cue.start_ms for cue in found)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_transcripts_keep_their_text_and_every_word_is_seen_while_it_is_spoken(path: Path) -> None:
    of = real(path)

    found = cues(of, DEFAULT)

    check(found, of)
    for cue in found:
        assert cue.end_ms - cue.start_ms >= limits_for(DEFAULT, cue.script).shortest_ms
        assert all(token.start_ms >= cue.start_ms - 100 for line in cue.lines for token in line)
        assert all(token.end_ms <= cue.end_ms + 100 for line in cue.lines for token in line)
