"""The cheapest cues: the search finds what trying everything finds."""

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.render.cutting import Cut, cut, search
from dropscribe.render.layout import Layout
from dropscribe.render.measured import measured
from dropscribe.render.profiles import Limits, Subtitles, limits_for
from dropscribe.render.speech import Run, runs
from render.documents import spoken, transcript

USUAL = limits_for(Subtitles(), "latin")
NARROW = Limits(12, 2, 3000, 500, 83, 15)


def run_of(text: str, each: int = 300) -> Run:
    ((run,),) = runs(transcript(spoken(text, each=each))).values()
    return run


def test_the_cuts_are_the_run_from_end_to_end() -> None:
    run = run_of("and so it goes on and on without an end " * 5)

    found = cut(measured(run, USUAL), USUAL)

    assert found[0].first == 0
    assert found[-1].last == len(run.tokens)
    assert all(a.last == b.first for a, b in pairwise(found))
    assert all(one.first < at < one.last for one in found for at in one.breaks)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["the", "cat", "sat,", "and", "then.", "No", "elephants"]), min_size=2, max_size=9))
def test_no_other_way_to_cut_is_cheaper(words: list[str]) -> None:
    run = run_of(" ".join(words))
    of = measured(run, NARROW)

    best = cost_of(run, [one.last for one in cut(of, NARROW)])

    inner = range(1, len(run.tokens))
    every = [[*some, len(run.tokens)] for size in range(len(run.tokens)) for some in combinations(inner, size)]
    assert best <= min(cost_of(run, ends) for ends in every) + 1e-6


def cost_of(run: Run, ends: list[int]) -> float:
    """What a given way to cut costs: the search itself, kept to it by limits of its own a cue."""
    of = measured(run, NARROW)
    allowed = set(ends)
    costs = [cost if at in allowed or at == 0 else float("inf") for at, cost in enumerate(of.costs)]
    kept = replace(of, costs=costs)
    layout = Layout(of, NARROW)
    return search(kept, NARROW, layout)[0]


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_a_cue_has_no_more_lines_than_it_may(lines: int) -> None:
    limits = Limits(20, lines, 9000, 500, 83, 30)
    run = run_of("a cue of so many words that it needs some lines and then some more lines to stand on " * 3, each=150)

    found = cut(measured(run, limits), limits)

    assert max(len(one.breaks) + 1 for one in found) == lines


def test_a_piece_of_a_torn_word_is_no_new_token_of_the_text() -> None:
    run = run_of("x" * 100)

    of = measured(run, USUAL)

    assert "".join(token.text for token in of.run.tokens) == "x" * 100
    assert of.torn == {1, 2}
    assert cut(of, USUAL)[0] == Cut(0, 2, (1,))
