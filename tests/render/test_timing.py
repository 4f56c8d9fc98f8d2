"""When cues come and go."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dropscribe.render.profiles import Limits
from dropscribe.render.timing import Span, show

USUAL = Limits(42, 2, 7000, 833, 83, 20)


def shown(*spans: tuple[int, int], chars: float = 10, limits: Limits = USUAL) -> list[tuple[int, int]]:
    found = [Span(first, last, chars, limits) for first, last in spans]
    show(found)
    return [(span.start_ms, span.end_ms) for span in found]


def test_a_cue_comes_with_its_first_word_and_goes_with_its_last() -> None:
    assert shown((1000, 3000)) == [(1000, 3000)]


def test_a_short_word_stands_long_enough_to_be_read() -> None:
    assert shown((1000, 1200)) == [(1000, 1834)]


def test_a_cue_never_stays_more_than_a_second_in_silence() -> None:
    ((_, end),) = shown((1000, 3000), chars=200)

    assert end == 4000


def test_a_short_pause_is_closed_to_the_gap_and_a_long_one_left_open() -> None:
    assert shown((0, 2000), (2400, 4000), (6000, 8000)) == [(0, 2317), (2400, 4000), (6000, 8000)]


def test_speech_without_a_pause_gives_the_gap_from_the_end_of_the_cue() -> None:
    assert shown((0, 2000), (2000, 4000)) == [(0, 1917), (2000, 4000)]


def test_a_wide_gap_takes_no_more_than_a_tenth_of_a_second_from_either_cue() -> None:
    wide = Limits(42, 2, 7000, 833, 200, 20)

    assert shown((0, 2000), (2000, 4000), limits=wide) == [(0, 1900), (2100, 4000)]


def test_a_cue_leaves_after_its_longest_time() -> None:
    assert shown((0, 9000)) == [(0, 7000)]


def test_a_short_answer_between_two_others_gets_what_they_can_spare() -> None:
    (_, first_end), (start, end), (second, _) = shown((0, 2000), (2050, 2650), (2750, 5000))

    assert end - start >= 833
    assert first_end >= 1900
    assert second <= 2850


def test_cues_at_one_instant_can_all_be_seen() -> None:
    found = shown((5000, 5000), (5000, 5000), (5000, 5000))

    assert all(end - start >= 250 for start, end in found)


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 9000), st.floats(0, 120)), min_size=1, max_size=8),
    st.builds(
        Limits,
        st.just(42),
        st.just(2),
        st.integers(2000, 9000),
        st.integers(100, 1000),
        st.integers(0, 500),
        st.just(17.0),
    ),
)
def test_cues_are_in_order_never_overlap_and_never_last_too_long(steps, limits: Limits) -> None:
    spans, at = [], 0
    for step, length, chars in steps:
        at += step
        spans.append(Span(at, at + length, chars, limits))

    show(spans)

    assert all(0 < span.end_ms - span.start_ms <= limits.longest_ms for span in spans)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(spans))
