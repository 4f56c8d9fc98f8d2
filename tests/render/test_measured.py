"""A run made ready for the search: every token fits a line."""

from dropscribe.render.borders import TORN
from dropscribe.render.measured import measured
from dropscribe.render.profiles import Limits
from dropscribe.render.speech import runs
from render.documents import spoken, transcript

LIMITS = Limits(10, 2, 7000, 833, 83, 20)


def test_a_token_wider_than_a_line_is_torn_and_its_time_shared() -> None:
    ((run,),) = runs(transcript(spoken("a " + "x" * 25 + " b", each=1000))).values()

    of = measured(run, LIMITS)

    assert [token.text for token in of.run.tokens] == ["a ", "x" * 10, "x" * 10, "x" * 5 + " ", "b"]
    assert [token.start_ms for token in of.run.tokens] == [0, 1000, 1400, 1800, 2000]
    assert [of.costs[at] for at in sorted(of.torn)] == [TORN, TORN]


def test_widths_leave_out_the_spaces_at_the_end_of_a_line() -> None:
    ((run,),) = runs(transcript(spoken("one two three"))).values()

    of = measured(run, LIMITS)

    assert [of.width(0, 1), of.width(0, 2), of.width(1, 3)] == [3, 7, 9]


def test_room_for_a_name_is_part_of_the_first_token_where_it_fits() -> None:
    ((run,),) = runs(transcript(spoken("one two three"))).values()

    assert measured(run, LIMITS, room=5).width(0, 1) == 8
    assert measured(run, LIMITS, room=9).width(0, 1) == 3
