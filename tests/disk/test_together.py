"""Waits for the disk that are shared."""

import threading

import pytest

from dropscribe.disk.together import AT_ONCE, together


def test_each_item_is_acted_on_once_and_answered_in_order() -> None:
    done: list[int] = []

    def act(item: int) -> int:
        done.append(item)
        return item * item

    assert together(act, range(100)) == [item * item for item in range(100)]
    assert sorted(done) == list(range(100))


def test_several_wait_at_the_same_time() -> None:
    all_there = threading.Barrier(AT_ONCE, timeout=30)

    assert together(lambda _: all_there.wait() >= 0, range(AT_ONCE)) == [True] * AT_ONCE


def test_what_the_first_one_raised_is_raised_when_all_the_others_are_done() -> None:
    done: list[int] = []

    def act(item: int) -> None:
        if item in (3, 40):
            raise OSError(item)
        done.append(item)

    with pytest.raises(OSError, match=r"^3$"):
        together(act, range(64))

    assert sorted(done) == [item for item in range(64) if item not in (3, 40)]
