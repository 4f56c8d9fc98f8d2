"""What PocketSphinx's words become: sentences by pauses, and how sure it was of all of them."""

import pytest

pytest.importorskip("pocketsphinx", reason="the extra `sandbox` is not installed")

from dropscribe.sandbox.listening import PAUSE, Word, certainty, sentences


def words(*times: float) -> list[Word]:
    """Words that begin at these seconds, each half a second long."""
    return [Word(time, time + 0.5, f"word{number}", 1.0) for number, time in enumerate(times)]


def test_a_pause_ends_a_sentence() -> None:
    found = sentences(words(0.0, 0.5, 1.0 + PAUSE, 2.0))
    assert [[text for _, _, text in sentence] for sentence in found] == [["word0", "word1"], ["word2", "word3"]]


def test_times_are_milliseconds() -> None:
    assert sentences(words(1.25)) == [[(1250, 1750, "word0")]]


def test_nothing_said_is_no_sentence_and_no_certainty() -> None:
    assert sentences([]) == [] and certainty([]) == 0.0


def test_long_words_count_more_for_the_certainty() -> None:
    assert certainty([Word(0.0, 3.0, "sure", 1.0), Word(3.0, 4.0, "um", 0.0)]) == 0.75
