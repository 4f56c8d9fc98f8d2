"""What the ledger is asked for each file costs the same however many others wait."""

from collections.abc import Callable

import pytest

from dropscribe.ledger import batches, deliveries, reasons
from ledger.desk import Desk, open_desk

FEW, MANY = 40, 1200
GROWTH = 1.5
"""A search in a tree of thirty times as many is a little deeper; going through all of them would be thirty times."""


def claim(desk: Desk) -> None:
    desk.claim(limit=4)


def last_look(desk: Desk) -> None:
    desk.upload(limit=4)
    group = desk.do(batches.ready_groups, desk.now)[0]
    steps_from_here(desk)
    desk.do(batches.sources_of_ready, group, 4, desk.now)


def what_is_owed(desk: Desk) -> None:
    desk.answer_all()
    steps_from_here(desk)
    desk.do(deliveries.owed, "in", 4, desk.now, ("due", "delivering"))


def is_anything_open(desk: Desk) -> None:
    desk.do(deliveries.any_open, ["in"])


def is_a_reason_stale(desk: Desk) -> None:
    desk.do(reasons.stale, "in", [b"1.mp3", b"2.mp3"])


def steps_from_here(desk: Desk) -> None:
    """What SQLite did until now was only to prepare."""
    COUNTED.clear()


COUNTED: list[int] = []


def steps(act: Callable[[Desk], None], waiting: int) -> int:
    """Steps of SQLite's machine, in tens, with so many files that wait."""
    desk = open_desk()
    try:
        desk.take_contents(*map(str, range(waiting)))
        desk.claim(limit=4)  # reserves ahead of the claims
        raw = desk.engine.raw_connection().driver_connection
        assert raw is not None
        raw.set_progress_handler(lambda: COUNTED.append(1), 10)
        steps_from_here(desk)
        act(desk)
        raw.set_progress_handler(None, 0)
        return len(COUNTED)
    finally:
        desk.engine.dispose()


@pytest.mark.parametrize("act", [claim, last_look, what_is_owed, is_anything_open, is_a_reason_stale])
def test_a_look_for_a_few_files_does_not_go_through_all_that_wait(act: Callable[[Desk], None]) -> None:
    few, many = steps(act, FEW), steps(act, MANY)

    assert many <= GROWTH * few + 5
