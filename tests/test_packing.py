"""Which ready recognitions travel together, and when."""

import pytest

from dropscribe.ledger.rows import ReadyGroup
from dropscribe.packing import MEGABYTE, Departure, size_class, timetable

NOW = 1000.0


def group(count: int, oldest: float = NOW, company: int = 0, model: str = "fun-asr") -> ReadyGroup:
    return ReadyGroup(model, "{}", 0, company, count, oldest)


def hundred(_model: str) -> int:
    return 100


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 0), (32 * MEGABYTE, 0), (32 * MEGABYTE + 1, 1), (256 * MEGABYTE, 1), (256 * MEGABYTE + 1, 2), (2**31, 2)],
)
def test_recordings_of_about_one_length_share_a_class(size: int, expected: int) -> None:
    assert size_class(size) == expected


@pytest.mark.parametrize(
    ("count", "waited", "leaving", "next_at"),
    [
        (1, 0.0, 0, NOW + 10),
        (99, 9.5, 0, NOW + 0.5),
        (99, 10.0, 1, None),
        (1, 60.0, 1, None),
        (100, 0.0, 1, None),
        (101, 0.0, 1, NOW + 10),
        (101, 10.0, 2, None),
        (250, 0.0, 2, NOW + 10),
    ],
)
def test_a_full_task_leaves_at_once_and_the_rest_when_its_oldest_waited_long_enough(
    count: int, waited: float, leaving: int, next_at: float | None
) -> None:
    ready = group(count, NOW - waited)

    plan = timetable([ready], hundred, NOW, max_wait=10.0)

    assert plan.now == (Departure(ready, 100),) * leaving
    assert plan.next_at == next_at


def test_where_nobody_else_will_come_nothing_waits_for_company() -> None:
    plan = timetable([group(3), group(101)], hundred, NOW, max_wait=10.0, hurry=True)

    assert len(plan.now) == 3 and plan.next_at is None


def test_one_that_is_to_go_alone_leaves_at_once_by_itself() -> None:
    ready = group(3, company=1)

    plan = timetable([ready], hundred, NOW, max_wait=10.0)

    assert plan.now == (Departure(ready, 1),) * 3 and plan.next_at is None


@pytest.mark.parametrize(("company", "allowed", "limit"), [(50, 100, 50), (50, 1, 1), (0, 100, 100)])
def test_a_smaller_company_is_kept_to_and_so_is_what_the_account_allows(company: int, allowed: int, limit: int) -> None:
    plan = timetable([group(1, NOW - 60, company)], lambda _: allowed, NOW, max_wait=10.0)

    assert [departure.limit for departure in plan.now] == [limit]


def test_a_model_that_takes_one_url_a_task_gets_tasks_of_one_and_others_do_not() -> None:
    single, other = group(2, model="qwen3-asr"), group(2)

    plan = timetable([single, other], lambda group: 1 if group.model == "qwen3-asr" else 100, NOW, max_wait=10.0)

    assert plan.now == (Departure(single, 1),) * 2 and plan.next_at == NOW + 10


def test_groups_wait_for_themselves_and_the_first_to_leave_is_told() -> None:
    plan = timetable([group(1, NOW - 2), group(1, NOW - 7), group(1, NOW - 30)], hundred, NOW, max_wait=10.0)

    assert [departure.group.oldest for departure in plan.now] == [NOW - 30] and plan.next_at == NOW + 3


def test_a_clock_that_was_set_back_does_not_ask_for_the_past() -> None:
    plan = timetable([group(1, NOW + 500)], hundred, NOW, max_wait=0.0)

    assert plan.next_at == NOW + 500


def test_where_nothing_is_ready_nothing_leaves() -> None:
    plan = timetable([], hundred, NOW, max_wait=10.0)

    assert plan.now == () and plan.next_at is None
