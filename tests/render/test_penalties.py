"""What a border tears apart in scripts with spaces."""

import pytest

from dropscribe.render.kinds import kinds
from dropscribe.render.penalties import FORBIDDEN, spaced, tears
from dropscribe.render.speech import runs
from render.documents import said, transcript


def penalty(marked: str) -> float:
    """Of the border at `|`."""
    text = marked.replace("|", "")
    ((run,),) = runs(transcript(said(text, 0, 4000))).values()
    of = kinds(run)
    at = len(marked.partition("|")[0].split())
    return spaced(of[at - 1], of[at], run)


@pytest.mark.parametrize(
    "text",
    [
        "we all went to the |market today",
        "they paid 20 |dollars for all of it",
        "it was said by Mark |Zuckerberg in the hearing",
    ],
)
def test_an_article_a_number_and_a_name_are_torn_from_what_follows(text: str) -> None:
    assert tears(penalty(text))


def test_between_two_plain_words_nothing_is_torn() -> None:
    assert penalty("they went home |slowly and came back") == 0


def test_what_tears_is_far_from_forbidden() -> None:
    assert penalty("we all went to the |market today") < FORBIDDEN / 1000
