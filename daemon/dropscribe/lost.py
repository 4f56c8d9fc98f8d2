"""Submits whose answer was lost, settled through the task list: the deciding half, pure.

The list names no files, so a task is ours only when it has ended and its results name our object keys. Until every
task that could be ours has ended, nothing is sent again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dropscribe.errors import OutOfOrder
from dropscribe.ledger.rows import BatchRow
from dropscribe.model import ACCOUNT, ListedTask, TaskReport
from dropscribe.verdicts import is_terminal, names_any

EARLIER = 120.0
LATER = 600.0
"""Seconds around the intent, on the server's clock, in which our task must have been created."""

OLDEST = 24 * 3600.0
"""The list reaches back 24 hours: an older intent cannot be settled any more."""

OUT_OF_REACH = OLDEST + 4 * 3600.0
"""Seconds after the submit: a task takes three hours at most, and its results are deleted a day later."""


@dataclass(frozen=True)
class Settled:
    """The outcome for one lost batch.

    `adopted`: `task_ids[0]` is its task, any further ones were paid twice. `absent`: it never arrived.
    `expired`: nobody can know any more. `open`: ask again.
    """

    outcome: Literal["adopted", "absent", "expired", "open"]
    task_ids: tuple[str, ...] = ()


def candidates(lost: BatchRow, listed: Sequence[ListedTask], known: Collection[str]) -> list[ListedTask]:
    """Tasks of a complete list that could be this batch: unknown to us, of its model, created around its intent."""
    return [
        task
        for task in listed
        if task.task_id not in known and same_model(task.model, lost.model) and _around(lost, task.created)
    ]


def same_model(listed: str | None, ours: str) -> bool:
    """A snapshot and its alias are the same model; a task whose model is not told could be any."""
    if listed is None or listed == ours:
        return True
    longer, shorter = (listed, ours) if len(listed) > len(ours) else (ours, listed)
    return longer.startswith(shorter + "-20")


def of_another_account(row: BatchRow) -> OutOfOrder:
    """Why a batch waits that was submitted under another identity: its fate is not visible to this one."""
    task = f"task {row.task_id}" if row.task_id else f"batch {row.id}"
    files = "1 file" if len(row.items) == 1 else f"{len(row.items)} files"
    message = f"another account submitted {files} of {task}, and alone can see what became of that"
    remedy = (
        f"restart dropscribe with the endpoint {row.endpoint} and the key of that account, until it is done; "
        "where that account is lost, `dropscribe forget --unfinished` gives its files up"
    )
    return OutOfOrder(ACCOUNT, "OtherAccount", message, remedy)


def age(row: BatchRow, server_now: float | None, now: float) -> float:
    """Seconds since the intent: by the server's clock where both ends of it are known, for ours may have been set."""
    if server_now is not None and row.server_time is not None:
        return server_now - row.server_time
    return now - row.intended_at


@dataclass(frozen=True)
class Look:
    """What a listed task showed when it was asked for; `report` is None where it could not be told.

    `steady`: it has been unclear at every look, several times, for the whole grace.
    """

    report: TaskReport | None
    steady: bool = False


def is_telling(report: TaskReport) -> bool:
    """Whether the report on an ended task tells whose it is: by its files, or because it failed without any.

    A success that names no file may only lack them in this look.
    """
    return bool(report.results) or report.status in ("FAILED", "CANCELED")


def recognised_any(report: TaskReport) -> bool:
    """Whether a task recognised any of its files, so that it was paid."""
    return any(result.status == "SUCCEEDED" for result in report.results or ())


def settle(
    lost: BatchRow,
    looks: Sequence[Look],
    age_at_list: float,
    grace: float,
    objects_taken: bool = False,
    shown_absent: bool = False,
) -> Settled:
    """Decide from looks at all candidates of a complete list, read when the intent was `age_at_list` old.

    `objects_taken`: they had to go before the list was read; a task that recognised nothing came too late for them.
    `shown_absent`: a list that was read before this one showed it for good (see `shows_absence`).
    """
    keys = [item.key for item in lost.items]
    reports = [look.report for look in looks if look.report is not None]
    ended = [report for report in reports if is_terminal(report) and names_any(report, keys)]
    ours = tuple(report.task_id for report in ended if not objects_taken or recognised_any(report))
    if ours:
        return Settled("adopted", ours)
    unclear = any(_may_become_ours(look, lost.total) for look in looks)
    if age_at_list > OLDEST:
        return Settled("absent" if shown_absent and not unclear else "expired")
    if age_at_list < grace or unclear:
        return Settled("open")
    return Settled("absent")


def shows_absence(settled: Settled, age_at_list: float, grace: float) -> bool:
    """Whether a list shows for good that a submit never arrived, so that this holds when the lists reach back to it no
    more: it was read when every task that could be this batch's had been created, and had had the grace to be listed.

    A list that was read right after the grace is not enough: a request may still have floated, and the objects stood.
    """
    return settled.outcome == "absent" and LATER + grace <= age_at_list <= OLDEST


def _may_become_ours(look: Look, total: int) -> bool:
    report = look.report
    if report is None:
        return True
    if report.status == "UNKNOWN" or (is_terminal(report) and not is_telling(report)):
        return not look.steady
    return not is_terminal(report) and report.total in (None, 0, total)


def _around(lost: BatchRow, created: float | None) -> bool:
    if created is None or lost.server_time is None:
        return True
    return lost.server_time - EARLIER <= created <= lost.server_time + LATER
