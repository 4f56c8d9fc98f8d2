"""A file is settled only when two looks, `settle` apart, are equal."""

from hypothesis import given
from hypothesis import strategies as st

from dropscribe.model import Look
from dropscribe.settle import GONE, STILL_CHANGING, Settled, Tracker

LOOK = Look(size=5, mtime_ns=1, inode=7)
GROWN = Look(size=6, mtime_ns=2, inode=7)


def tracker(settle: float = 5.0, capacity: int = 100) -> Tracker:
    return Tracker(settle, capacity)


def test_a_file_is_due_for_its_second_look_after_settle_seconds_and_not_before() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=100.0)

    assert files.due(104.9) == []
    assert files.next_due() == 105.0
    assert files.due(105.0) == [b"a"]


def test_two_equal_looks_settle_a_file_and_it_is_forgotten() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)

    assert files.second_look(b"a", LOOK, now=5.0) == Settled(LOOK)
    assert b"a" not in files and len(files) == 0


def test_a_look_that_differs_starts_the_wait_anew() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)

    assert files.second_look(b"a", GROWN, now=5.0) is STILL_CHANGING
    assert files.due(9.9) == []
    assert files.due(10.0) == [b"a"]
    assert files.second_look(b"a", GROWN, now=10.0) == Settled(GROWN)


def test_two_equal_looks_that_are_too_close_settle_nothing() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)

    assert files.second_look(b"a", LOOK, now=4.0) is STILL_CHANGING
    assert files.due(5.0) == [b"a"]


def test_seeing_an_unchanged_file_again_does_not_lengthen_its_wait() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)

    files.see(b"a", LOOK, now=4.0)

    assert files.due(5.0) == [b"a"]


def test_seeing_a_changed_file_starts_its_wait_anew_and_remembers_since_when_it_is_here() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)

    files.see(b"a", GROWN, now=4.0)

    assert files.due(5.0) == []
    assert files.due(9.0) == [b"a"]
    assert list(files.waiting()) == [(b"a", 0.0)]


def test_a_file_that_changed_after_it_was_handed_out_does_not_settle_on_the_old_look() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)
    files.see(b"a", GROWN, now=5.1)

    assert files.second_look(b"a", GROWN, now=5.2) is STILL_CHANGING
    assert files.due(10.1) == [b"a"]


def test_a_file_that_is_gone_is_forgotten() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)

    assert files.second_look(b"a", None, now=5.0) is GONE
    assert len(files) == 0 and files.next_due() is None


def test_a_file_that_a_writer_holds_can_be_made_to_wait_again() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)
    files.second_look(b"a", LOOK, now=5.0)

    files.restart(b"a", LOOK, now=5.0)

    assert files.due(9.9) == [] and files.due(10.0) == [b"a"]


def test_files_are_handed_out_once_and_the_longest_waiting_first() -> None:
    files = tracker()
    for number, path in enumerate([b"c", b"a", b"b"]):
        files.see(path, LOOK, now=float(number))

    assert files.due(7.0) == [b"c", b"a", b"b"]
    assert files.due(8.0) == []


def test_a_second_look_that_nobody_took_begins_again_when_the_file_is_seen() -> None:
    files = tracker()
    files.see(b"a", LOOK, now=0.0)
    files.due(5.0)

    files.see(b"a", LOOK, now=10.0)

    assert files.due(15.0) == [b"a"]


def test_a_full_tracker_refuses_new_files_and_keeps_those_it_has() -> None:
    files = tracker(capacity=2)
    assert files.see(b"a", LOOK, now=0.0) and files.see(b"b", LOOK, now=0.0)

    assert not files.see(b"c", LOOK, now=1.0)
    assert files.see(b"a", GROWN, now=1.0)
    files.forget(b"b")
    assert files.see(b"c", LOOK, now=2.0)


def test_with_no_settle_time_two_looks_are_still_needed() -> None:
    files = tracker(settle=0.0)
    files.see(b"a", LOOK, now=1.0)

    assert files.due(1.0) == [b"a"]
    assert files.second_look(b"a", GROWN, now=1.0) is STILL_CHANGING


@given(st.floats(0, 1e6), st.floats(0, 1e4))
def test_what_is_handed_out_as_due_can_settle_at_that_very_moment(start: float, settle: float) -> None:
    files = tracker(settle=settle)
    files.see(b"a", LOOK, now=start)
    due = files.next_due()
    assert due is not None

    assert files.due(due) == [b"a"]
    assert files.second_look(b"a", LOOK, now=due) == Settled(LOOK)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.integers(0, 3), st.integers(0, 4))))
def test_no_file_settles_on_looks_that_were_not_equal_for_the_whole_time(steps: list[tuple[bytes, int, int]]) -> None:
    files, now = tracker(settle=3.0), 0.0
    unchanged_since: dict[bytes, tuple[int, float]] = {}
    for path, size, wait in steps:
        now += wait
        look = Look(size, 1, 1)
        if unchanged_since.get(path, (None,))[0] != size:
            unchanged_since[path] = (size, now)
        asked = path in files.due(now)
        if asked and isinstance(files.second_look(path, look, now), Settled):
            assert now - unchanged_since[path][1] >= 3.0
        elif not asked:
            files.see(path, look, now)
