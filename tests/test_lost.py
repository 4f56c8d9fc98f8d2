"""A submit whose answer was lost is settled through the task list, and paid for again only when it never arrived."""

from dataclasses import replace
from typing import Literal

import pytest

from dropscribe.ledger.rows import BatchRow, Item
from dropscribe.lost import (
    EARLIER,
    LATER,
    OLDEST,
    Look,
    Settled,
    age,
    candidates,
    same_model,
    settle,
    shows_absence,
)
from dropscribe.model import ListedTask, SubtaskResult, TaskReport

INTENDED = 1_795_000_000.0
SERVER = INTENDED + 300.0  # the server's clock is five minutes ahead of ours
GRACE = 180.0
KEYS = ("dropscribe/0123/aaaa.mp3", "dropscribe/0123/bbbb.mp3")


def batch(server_time: float | None = SERVER, model: str = "fun-asr") -> BatchRow:
    items = tuple(Item(n, key, 0, {}, 0) for n, key in enumerate(KEYS, start=1))
    return BatchRow(
        id=1,
        endpoint="https://dashscope.aliyuncs.com",
        account="account-1",
        model=model,
        settings="{}",
        state="lost",
        total=2,
        task_id=None,
        intended_at=INTENDED,
        server_time=server_time,
        submitted_at=None,
        items=items,
        keys=KEYS,
    )


def listed(task_id: str = "task-1", model: str | None = "fun-asr", created: float | None = SERVER) -> ListedTask:
    return ListedTask(task_id, "RUNNING", model, created)


def results(*keys: str, status: str = "SUCCEEDED") -> tuple[SubtaskResult, ...]:
    return tuple(SubtaskResult(f"https://b.oss-cn-beijing.aliyuncs.com/{key}?Expires=1", status) for key in keys)


def ended(task_id: str = "task-1", *keys: str, status: str = "SUCCEEDED", total: int | None = None) -> TaskReport:
    return TaskReport(task_id, status, results(*(keys or KEYS)), total=total)


def running(total: int | None = None, status: str = "RUNNING") -> TaskReport:
    return TaskReport("task-1", status, None, total=total)


@pytest.mark.parametrize(
    ("listed_as", "ours", "same"),
    [
        ("fun-asr", "fun-asr", True),
        ("fun-asr-2025-11-07", "fun-asr", True),
        ("fun-asr", "fun-asr-2025-11-07", True),
        (None, "fun-asr", True),
        ("fun-asr-mtl", "fun-asr", False),
        ("fun-asr", "fun-asr-mtl", False),
        ("fun-asr-2025-11-07", "fun-asr-2025-08-25", False),
        ("paraformer-v2", "fun-asr", False),
    ],
)
def test_a_model_and_its_snapshot_are_one_and_others_are_not(listed_as: str | None, ours: str, same: bool) -> None:
    assert same_model(listed_as, ours) is same


@pytest.mark.parametrize(
    ("task", "candidate"),
    [
        (listed(), True),
        (listed(created=None), True),
        (listed(model=None), True),
        (listed(model="fun-asr-2025-11-07"), True),
        (listed(model="paraformer-v2"), False),
        (listed(created=SERVER - EARLIER), True),
        (listed(created=SERVER - EARLIER - 1), False),
        (listed(created=SERVER + LATER), True),
        (listed(created=SERVER + LATER + 1), False),
        (listed("known-task"), False),
    ],
)
def test_a_candidate_is_unknown_to_us_of_our_model_and_of_the_time_by_the_servers_clock(
    task: ListedTask, candidate: bool
) -> None:
    assert candidates(batch(), [task], {"known-task"}) == ([task] if candidate else [])


def test_where_the_servers_clock_was_not_known_any_time_is_possible() -> None:
    early = listed(created=SERVER - 80_000)

    assert candidates(batch(server_time=None), [early], set()) == [early]


def seen(*reports: TaskReport) -> list[Look]:
    return [Look(report) for report in reports]


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELED", "SUCCESS_WITH_NO_VALID_FRAGMENT"])
def test_an_ended_task_that_names_our_keys_is_adopted_even_before_the_grace(status: str) -> None:
    found = settle(batch(), seen(ended("task-7", status=status)), 1.0, GRACE)

    assert found == Settled("adopted", ("task-7",))


def test_a_task_that_came_after_the_objects_were_gone_and_recognised_nothing_is_not_adopted() -> None:
    late = 2 * GRACE
    nothing = replace(ended("late"), results=results(*KEYS, status="FAILED"))
    half = replace(ended("half"), results=results(KEYS[0], status="FAILED") + results(KEYS[1]))

    assert settle(batch(), seen(nothing), late, GRACE, objects_taken=True) == Settled("absent")
    assert settle(batch(), seen(nothing, half), late, GRACE, objects_taken=True) == Settled("adopted", ("half",))


def test_one_of_our_keys_is_proof_enough() -> None:
    assert settle(batch(), seen(ended("task-7", KEYS[1])), 1.0, GRACE).outcome == "adopted"


def test_of_several_that_are_ours_the_first_is_adopted_and_the_others_are_told() -> None:
    reports = [ended("task-1"), ended("foreign", "their/key.mp3"), ended("task-2")]

    assert settle(batch(), seen(*reports), 1.0, GRACE) == Settled("adopted", ("task-1", "task-2"))


@pytest.mark.parametrize(
    "report",
    [running(), running(total=2), running(total=0), running(status="PENDING"), running(status="SOMETHING_NEW")],
    ids=["no total", "our total", "total not counted yet", "pending", "a status nobody knows"],
)
def test_while_a_task_that_could_be_ours_has_not_ended_nothing_is_decided(report: TaskReport) -> None:
    late = 10 * GRACE

    assert settle(batch(), seen(report, ended("foreign", "their/key.mp3")), late, GRACE) == Settled("open")


def test_a_task_that_names_our_keys_is_adopted_only_when_it_has_ended() -> None:
    late = GRACE

    assert settle(batch(), seen(ended(status="RUNNING")), late, GRACE) == Settled("open")


@pytest.mark.parametrize(
    "report",
    [
        running(total=3),
        ended("foreign", "their/key.mp3"),
        ended("foreign", "their/" + KEYS[0] + ".bak"),
        TaskReport("failed", "FAILED", None, "InternalError", "no results"),
        TaskReport("failed", "FAILED", (), "InternalError", "no results"),
    ],
    ids=["other total", "foreign", "like ours", "failed without results", "failed with none"],
)
def test_what_is_not_ours_does_not_hold_us_up(report: TaskReport) -> None:
    late = GRACE

    assert settle(batch(), seen(report), late, GRACE) == Settled("absent")


@pytest.mark.parametrize(
    ("age_at_list", "outcome"),
    [(0.0, "open"), (GRACE - 1, "open"), (GRACE, "absent"), (OLDEST, "absent")],
    ids=["at once", "list read too early", "after the grace", "at the last moment"],
)
def test_it_never_arrived_only_if_a_list_read_after_the_grace_shows_none(age_at_list: float, outcome: str) -> None:
    assert settle(batch(), [], age_at_list, GRACE).outcome == outcome


UNCLEAR = [
    TaskReport("theirs", "UNKNOWN"),
    TaskReport("bare", "SUCCEEDED", None),
    TaskReport("empty", "SUCCEEDED", ()),
    TaskReport("quiet", "SUCCESS_WITH_NO_VALID_FRAGMENT"),
]


@pytest.mark.parametrize("report", UNCLEAR, ids=lambda report: report.task_id)
@pytest.mark.parametrize(("steady", "outcome"), [(False, "open"), (True, "absent")])
def test_a_listed_task_that_does_not_say_whose_it_is_holds_nothing_up_once_it_has_said_so_for_the_grace(
    report: TaskReport, steady: bool, outcome: str
) -> None:
    """Another key's, or only unknown in this very look."""
    assert settle(batch(), [Look(report, steady)], 10 * GRACE, GRACE).outcome == outcome


def test_a_task_whose_query_fails_may_be_ours() -> None:
    assert settle(batch(), [Look(None)], 10 * GRACE, GRACE).outcome == "open"


def test_an_intent_is_as_old_as_the_servers_clock_says_though_ours_was_set_meanwhile() -> None:
    assert age(batch(), SERVER + 30, now=INTENDED + 90_000) == 30
    assert age(batch(server_time=None), SERVER + 30, now=INTENDED + 40) == 40


@pytest.mark.parametrize("reports", [[], [running()], [ended("foreign", "their/key.mp3")]])
def test_after_a_day_the_list_can_tell_nothing_any_more(reports: list[TaskReport]) -> None:
    late = OLDEST + 1

    assert settle(batch(), seen(*reports), late, GRACE) == Settled("expired")


@pytest.mark.parametrize(
    ("outcome", "age_at_list", "for_good"),
    [
        ("absent", GRACE, False),
        ("absent", LATER + GRACE - 1, False),
        ("absent", LATER + GRACE, True),
        ("absent", OLDEST, True),
        ("absent", OLDEST + 1, False),
        ("open", LATER + GRACE, False),
        ("adopted", LATER + GRACE, False),
    ],
)
def test_a_list_shows_for_good_that_a_submit_never_arrived_when_no_task_of_it_can_come_any_more(
    outcome: Literal["absent", "open", "adopted"], age_at_list: float, for_good: bool
) -> None:
    assert shows_absence(Settled(outcome), age_at_list, GRACE) is for_good


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([], "absent"),
        ([ended("foreign", "their/key.mp3")], "absent"),
        ([running()], "expired"),
        ([ended("task-1")], "adopted"),
    ],
)
def test_after_a_day_what_a_list_showed_for_good_counts_unless_this_one_speaks_against_it(
    reports: list[TaskReport], outcome: str
) -> None:
    late = OLDEST + 1

    assert settle(batch(), seen(*reports), late, GRACE, shown_absent=True).outcome == outcome


def test_a_task_of_ours_is_adopted_however_old() -> None:
    late = OLDEST + 1

    assert settle(batch(), seen(ended("task-1")), late, GRACE).outcome == "adopted"
