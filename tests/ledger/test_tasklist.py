"""What a task list shows is compared with what is known: late, doubled and unknown tasks are facts."""

import pytest

from dropscribe.ledger import batches, tasklist
from ledger.desk import NOW, WHO, Desk


def test_a_task_of_ours_that_the_ledger_forgot_is_adopted_instead_of_paid_again(desk: Desk) -> None:
    ids = desk.take_contents("a", "b")
    desk.upload()
    foreign = "dropscribe/0123/of-another-life.mp3"

    batch_id = desk.do(tasklist.adopt_unknown, [desk.keys[1], foreign], WHO, "task-9", desk.epoch, NOW)

    assert batch_id is not None
    row = desk.batch(batch_id)
    assert (row.state, row.task_id, row.account) == ("submitted", "task-9", WHO.account)
    assert [item.recognition_id for item in row.items] == ids[1:]
    assert desk.recognitions() == ["uploaded", "submitted"]
    assert desk.do(tasklist.known_tasks, ["task-9", "task-10"]) == {"task-9"}


@pytest.mark.parametrize("state", ["submitting", "submitted", "answered"])
def test_a_forgotten_task_of_what_is_paid_already_is_not_adopted(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to(state)

    assert desk.do(tasklist.adopt_unknown, desk.keys, WHO, "task-9", desk.epoch, NOW) is None

    assert desk.recognitions() == [state]


def test_a_task_found_under_a_key_that_was_given_up_is_not_adopted(desk: Desk) -> None:
    row = desk.lost("a")
    desk.do(batches.never_arrived, row.id, "a complete list shows none", NOW)
    desk.sweep()
    desk.upload()

    assert desk.do(tasklist.adopt_unknown, [row.items[0].key], WHO, "task-9", desk.epoch, NOW) is None


def test_what_could_be_in_a_forgotten_task_is_all_that_waits_for_a_batch(desk: Desk) -> None:
    (first, _) = desk.take_contents("a", "b")
    desk.upload(limit=1)

    assert desk.do(tasklist.ready_since_before) == [(first, desk.keys[0], NOW)]


def test_tasks_that_were_paid_twice_are_kept_for_people(desk: Desk) -> None:
    row = desk.submitted("a")

    desk.do(tasklist.paid_twice, row.id, ["task-2", "task-3"])

    assert list(desk.sql("SELECT paid_twice FROM batch")) == [('["task-2", "task-3"]',)]


def test_more_tasks_than_a_statement_can_hold_are_looked_up(desk: Desk) -> None:
    desk.submitted("a", task_id="task-40000")

    assert desk.do(tasklist.known_tasks, [f"task-{n}" for n in range(40_001)]) == {"task-40000"}


def test_a_task_that_its_batch_has_heard_of_meanwhile_was_not_paid_twice(desk: Desk) -> None:
    desk.take_contents("a")
    desk.bring_to("submitted")
    row = desk.do(batches.open_batches, "submitted")[0]
    keys = [item.key for item in row.items]

    assert desk.do(tasklist.came_late, keys, row.task_id or "", True) is None
    assert desk.do(tasklist.came_late, keys, "a second task", True) == row.id
    assert desk.do(tasklist.came_late, keys, "a second task", True) is None, "it is told once"
