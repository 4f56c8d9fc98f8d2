"""Function words: there for the languages that are promised, written as they are looked up."""

import pytest

from dropscribe.render.wordlists import LANGUAGES, NO_WORDS, word_list


def test_the_languages_that_have_lists() -> None:
    assert set(LANGUAGES) == {"en", "fr", "de", "es", "pt", "it", "ru", "vi", "id", "zh", "ja", "ko", "th", "ar", "hi"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_in_lower_case(language: str) -> None:
    words = word_list(language)

    assert words.holds or words.follows
    assert words.leads
    assert all(word == word.lower() for word in words.holds | words.leads | words.follows)


def test_a_language_without_a_list_has_no_words() -> None:
    assert word_list("xx").holds == NO_WORDS
