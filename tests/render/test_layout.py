"""Lines of one cue: balanced, the lower one rather longer, and nothing torn."""

from itertools import pairwise

import pytest

from dropscribe.render.layout import NEVER, Layout
from dropscribe.render.measured import measured
from dropscribe.render.profiles import Limits
from dropscribe.render.speech import runs
from render.documents import spoken, transcript


def lines(text: str, line: int = 42, most: int = 2) -> list[str]:
    limits = Limits(line, most, 60_000, 833, 83, 20)
    ((run,),) = runs(transcript(spoken(text))).values()
    of = measured(run, limits)
    edges = [0, *Layout(of, limits).breaks(0, len(of.run.tokens)), len(of.run.tokens)]
    return ["".join(token.text for token in of.run.tokens[a:b]).strip() for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    "shown",
    [
        ["It fits on one line."],
        ["It is a long way to the sea,", "and we went there on foot that day."],
        ["He said what he had to say.", "Then he went home again at once."],
        ["We went down to the old market", "with our friend Mark Zuckerberg."],
    ],
)
def test_lines_are_broken_where_a_person_would(shown: list[str]) -> None:
    assert lines(" ".join(shown)) == shown


def test_more_lines_are_used_where_they_are_allowed_and_no_more_than_are_needed() -> None:
    text = "one two three four five six seven eight nine ten"

    assert lines(text, 25, 3) == ["one two three four five", "six seven eight nine ten"]
    assert len(lines(text, 20, 3)) == 3


def test_what_does_not_fit_costs_more_than_anything() -> None:
    limits = Limits(10, 2, 60_000, 833, 83, 20)
    ((run,),) = runs(transcript(spoken("one two three four five six seven"))).values()

    assert Layout(measured(run, limits), limits).cost(0, 7, NEVER) == NEVER
