"""The paid call: intent before it, one open payment a recognition, and every outcome written down."""

import json

import pytest
from sqlalchemy.exc import IntegrityError

from dropscribe.ledger import batches, intake, uploads
from dropscribe.ledger.rows import ReadyGroup, StaleWrite
from dropscribe.model import Identity, Recipe
from ledger.desk import BROKEN, NOW, WHO, Desk, file

DROPPED = BROKEN


def test_an_intent_names_who_pays_when_by_the_servers_clock_and_under_which_keys(desk: Desk) -> None:
    row = desk.intended("a", "b")

    assert (row.state, row.total, row.task_id) == ("intended", 2, None)
    assert (row.endpoint, row.account) == (WHO.endpoint, WHO.account)
    assert (row.intended_at, row.server_time) == (NOW, NOW - 1.0)
    assert [item.key for item in row.items] == desk.keys
    assert desk.recognitions() == ["submitting", "submitting"]


def test_a_batch_takes_up_to_limit_the_oldest_first_and_leaves_the_rest(desk: Desk) -> None:
    ids = desk.take_contents("a", "b", "c")
    desk.upload()

    first, second, third = desk.intend(limit=2), desk.intend(limit=2), desk.intend(limit=2)

    assert first is not None and second is not None and third is None
    assert [item.recognition_id for item in first.items + second.items] == ids


def test_what_the_start_gate_withholds_is_not_paid_for(desk: Desk) -> None:
    ids = desk.take_contents("a", "b")
    desk.upload()

    row = desk.intend(withheld=ids[:1])

    assert row is not None and [item.recognition_id for item in row.items] == ids[1:]
    assert desk.intend(withheld=ids[:1]) is None


@pytest.mark.parametrize(
    "other",
    [
        file(b"b.mp3", "b", Recipe("fun-asr-mtl")),
        file(b"b.mp3", "b", Recipe("fun-asr", '{"channel_id":[0]}')),
    ],
    ids=["model", "settings"],
)
def test_only_what_may_travel_together_is_one_group(desk: Desk, other: intake.NewMedia) -> None:
    desk.take(file(b"a.mp3", "a"), other)
    desk.upload()

    groups = desk.do(batches.ready_groups, NOW)

    assert sorted(group.count for group in groups) == [1, 1]
    row = desk.intend()
    assert row is not None and row.total == 1


def test_groups_tell_how_many_are_ready_and_since_when(desk: Desk) -> None:
    desk.take_contents("a")
    desk.upload()
    desk.now += 7
    desk.take_contents("b")
    desk.upload()

    assert desk.do(batches.ready_groups, desk.now) == [ReadyGroup("fun-asr", "{}", 0, 0, 2, NOW)]


def test_the_files_behind_the_next_batch_can_be_looked_at_once_more(desk: Desk) -> None:
    desk.take_contents("a", "b", "c")
    desk.take(file(b"copy.mp3", "a", inode=9), inbox="other")
    desk.upload()
    (group,) = desk.do(batches.ready_groups, NOW)

    found = desk.do(batches.sources_of_ready, group, 2, NOW)

    assert {(inbox, path, look.inode) for _, inbox, path, look in found} == {
        ("in", b"a.mp3", 7),
        ("in", b"b.mp3", 7),
        ("other", b"copy.mp3", 9),
    }


@pytest.mark.parametrize("outcome", ["open", "lost", "accepted"])
def test_the_database_refuses_a_second_payment_while_the_first_is_not_settled(desk: Desk, outcome: str) -> None:
    row = desk.intended("a")
    if outcome == "lost":
        desk.do(batches.lost, row.id, "the connection broke")
    if outcome == "accepted":
        desk.do(batches.accepted, row.id, "task-1", None, NOW)
    desk.sql("UPDATE recognition SET state = 'uploaded'")  # as a bug would

    with pytest.raises(IntegrityError):
        desk.intend()

    assert list(desk.sql("SELECT count(*) FROM batch")) == [(1,)]


def test_an_intent_that_meets_a_moved_recognition_writes_nothing(desk: Desk) -> None:
    desk.take_contents("a")
    desk.upload()
    # Between the reading and the writing of one statement nobody can move a row, so a trigger plays the somebody.
    desk.sql("CREATE TRIGGER somebody AFTER INSERT ON batch_item BEGIN UPDATE recognition SET state = 'abandoned'; END")

    with pytest.raises(StaleWrite):
        desk.intend()

    assert list(desk.sql("SELECT * FROM batch")) == [] and desk.recognitions() == ["uploaded"]


def test_an_accepted_batch_and_its_recognitions_know_their_task(desk: Desk) -> None:
    row = desk.submitted("a", "b", task_id="task-7")

    assert (row.state, row.task_id, row.submitted_at) == ("submitted", "task-7", NOW)
    assert {desk.recognition(item.recognition_id).task_id for item in row.items} == {"task-7"}
    assert desk.recognitions() == ["submitted", "submitted"]


def test_one_task_belongs_to_one_batch(desk: Desk) -> None:
    desk.submitted("a", task_id="task-1")
    second = desk.intended("b")

    with pytest.raises(IntegrityError):
        desk.do(batches.accepted, second.id, "task-1", None, NOW)


def test_an_intent_without_an_outcome_is_in_doubt_after_a_restart_and_nothing_is_sent(desk: Desk) -> None:
    row = desk.intended("a")

    desk.die()

    assert desk.batch(row.id).state == "lost"
    assert desk.recognitions() == ["submitting"] and desk.intend() is None


@pytest.mark.parametrize("found", ["accepted", "in the list"])
def test_a_lost_batch_that_turns_up_goes_on_as_accepted(desk: Desk, found: str) -> None:
    row = desk.lost("a") if found == "in the list" else desk.intended("a")

    assert desk.do(batches.accepted, row.id, "task-1", None, NOW)
    assert not desk.do(batches.accepted, row.id, "task-2", None, NOW)

    assert desk.batch(row.id).task_id == "task-1"


def test_what_was_not_accepted_is_ready_again_with_the_same_object_and_without_charge(desk: Desk) -> None:
    row = desk.intended("a")

    assert desk.do(batches.not_accepted, row.id, "429", NOW, NOW + 10)

    assert desk.do(batches.ready_groups, NOW) == []
    desk.now += 10
    again = desk.intend()
    assert again is not None and again.items == row.items
    assert (again.items[0].attempts, again.items[0].tries) == (0, {})
    assert desk.batch(row.id).items == () and desk.batch(row.id).state == "refused"


@pytest.mark.parametrize("state", ["lost", "submitted"])
def test_a_batch_that_may_exist_cannot_be_declared_not_accepted(desk: Desk, state: str) -> None:
    row = desk.lost("a") if state == "lost" else desk.submitted("a")

    assert not desk.do(batches.not_accepted, row.id, "400", NOW, NOW)

    assert desk.batch(row.id).state == state and len(desk.batch(row.id).items) == 1


def test_one_that_never_arrived_begins_again_under_a_new_key_after_the_old_object_is_gone(desk: Desk) -> None:
    row = desk.lost("a")

    assert desk.do(batches.never_arrived, row.id, "a complete list shows none", NOW)

    assert desk.doomed() == {row.items[0].key}
    assert desk.upload() == [] and desk.intend() is None
    desk.sweep()
    desk.upload()
    again = desk.intend()
    assert again is not None and again.items[0].key != row.items[0].key
    assert again.items[0].rebuys == 0


def test_before_a_lost_batch_counts_as_never_arrived_its_objects_can_be_taken_though_its_fate_is_open(
    desk: Desk,
) -> None:
    row = desk.lost("a")
    assert desk.do(batches.with_objects, [row.id]) == {row.id: False}

    desk.do(batches.take_objects, row.id)

    assert desk.doomed() == {row.items[0].key} and desk.batch(row.id).state == "lost"
    assert desk.do(batches.with_objects, [row.id]) == {row.id: True}, "they are not gone yet"
    desk.sweep()
    assert desk.do(batches.with_objects, [row.id]) == {}


def test_a_batch_that_has_a_task_keeps_its_objects(desk: Desk) -> None:
    row = desk.submitted("a")

    desk.do(batches.take_objects, row.id)

    assert desk.doomed() == set()


def test_a_file_whose_object_was_taken_is_uploaded_anew_when_its_task_turns_up_and_wants_it_again(desk: Desk) -> None:
    row = desk.lost("a")
    desk.do(batches.take_objects, row.id)
    desk.sweep()
    desk.do(batches.accepted, row.id, "task-1", None, NOW)

    assert desk.again(desk.batch(row.id), "FILE_404_NOT_FOUND", charged=True)

    assert desk.recognitions() == ["needed"]
    assert desk.recognition(row.items[0].recognition_id).attempts == 0, "it was our own doing"


def test_a_batch_knows_the_keys_of_all_its_files_though_some_are_judged(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    desk.do(batches.answered, row.id, {row.items[0].recognition_id: b"said"}, NOW)

    left = desk.batch(row.id)

    assert left.keys == tuple(item.key for item in row.items) and left.items == row.items[1:]


@pytest.mark.parametrize("state", ["intended", "submitted"])
def test_only_a_lost_batch_can_never_have_arrived(desk: Desk, state: str) -> None:
    row = desk.submitted("a") if state == "submitted" else desk.intended("a")

    assert not desk.do(batches.never_arrived, row.id, "a complete list shows none", NOW)

    assert desk.batch(row.id).state == state and desk.doomed() == set()


@pytest.mark.parametrize("state", ["lost", "submitted"])
def test_a_dropped_recognition_is_bought_again_once_and_then_fails(desk: Desk, state: str) -> None:
    row = desk.lost("a") if state == "lost" else desk.submitted("a")

    assert desk.do(batches.dropped, row.id, DROPPED, NOW)

    assert desk.recognitions() == ["needed"] and desk.doomed() == {row.items[0].key}
    desk.sweep()
    desk.bring_to("submitted")
    (second,) = desk.do(batches.open_batches, "submitted")
    assert (second.items[0].rebuys, second.items[0].attempts) == (1, 0)

    desk.do(batches.dropped, second.id, DROPPED, NOW)

    assert desk.recognitions() == ["refused"] and desk.states() == ["failing"]
    assert desk.media().code == DROPPED.code


@pytest.mark.parametrize("rebought_by", ["buy_again", "dropped"])
def test_a_recognition_has_one_rebuy_whatever_it_was_for(desk: Desk, rebought_by: str) -> None:
    row = desk.submitted("a")
    number = row.items[0].recognition_id
    if rebought_by == "dropped":
        desk.do(batches.dropped, row.id, DROPPED, NOW)
        desk.sweep()
    else:
        assert desk.do(batches.buy_again, row.id, number, "ResultGone", "deleted")
    desk.bring_to("submitted")
    (second,) = [one for one in desk.do(batches.open_batches, "submitted") if one.items]

    assert not desk.do(batches.buy_again, second.id, number, "ResultGone", "deleted")

    assert desk.recognition(number).rebuys == 1
    assert desk.recognitions() == ["submitted"] and len(desk.batch(second.id).items) == 1


def test_a_result_that_is_bought_again_needs_no_new_upload_and_charges_nothing(desk: Desk) -> None:
    row = desk.submitted("a")

    assert desk.do(batches.buy_again, row.id, row.items[0].recognition_id, "ResultGone", "deleted")

    again = desk.intend()
    assert again is not None and again.items[0].key == row.items[0].key
    assert (again.items[0].attempts, again.items[0].rebuys) == (0, 1)


def test_an_answer_keeps_the_result_owes_the_files_and_dooms_the_object(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    first, second = (item.recognition_id for item in row.items)

    assert desk.do(batches.answered, row.id, {first: b"result"}, NOW) == {first}

    assert desk.recognitions() == ["answered", "submitted"]
    assert (desk.states(b"a.mp3"), desk.states(b"b.mp3")) == (["due"], ["waiting"])
    assert desk.doomed() == {row.items[0].key}
    assert [item.recognition_id for item in desk.batch(row.id).items] == [second]
    assert list(desk.sql("SELECT recognition_id, body FROM result")) == [(first, b"result")]


def test_an_answer_that_comes_twice_is_new_once(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.answer(row)

    again = desk.do(batches.answered, row.id, {row.items[0].recognition_id: b"other"}, NOW + 1)

    assert again == set()
    assert list(desk.sql("SELECT count(*) FROM result WHERE body = 'other'")) == [(0,)]


def test_an_answer_for_a_recognition_of_another_batch_is_not_taken(desk: Desk) -> None:
    mine, other = desk.submitted("a", task_id="task-1"), desk.submitted("b", task_id="task-2")

    assert desk.do(batches.answered, mine.id, {other.items[0].recognition_id: b"result"}, NOW) == set()

    assert desk.recognitions() == ["submitted", "submitted"]


def test_an_answer_clears_what_was_said_of_earlier_tries(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.again(row, "SERVER_ERROR")

    desk.bring_to("answered")

    found = desk.recognition_of()
    assert (found.code, found.message, found.attempts) == (None, None, 1)


def test_a_refusal_fails_every_subscriber_with_its_own_reason_and_dooms_the_object(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"copy.mp3"))
    desk.bring_to("submitted")
    row = desk.batch(1)

    assert desk.do(batches.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    assert not desk.do(batches.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)

    for path in (b"a.mp3", b"copy.mp3"):
        found = desk.media(path)
        assert (found.state, found.code, found.message) == ("failing", BROKEN.code, BROKEN.message)
        assert (found.remedy, found.request_id, found.task_id, found.attempts) == (
            BROKEN.remedy,
            BROKEN.request_id,
            BROKEN.task_id,
            1,
        )
    assert desk.recognitions() == ["refused"] and desk.doomed() == {row.items[0].key}


def test_a_file_withdrawn_earlier_does_not_fail_with_the_others(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"gone.mp3"))
    desk.do(intake.withdraw, desk.media(b"gone.mp3").id, "it vanished", NOW)
    desk.bring_to("submitted")

    desk.do(batches.refused, 1, desk.recognition_of().id, BROKEN, NOW)

    assert (desk.states(b"a.mp3"), desk.states(b"gone.mp3")) == (["failing"], ["withdrawn"])


@pytest.mark.parametrize("charged", [True, False])
def test_an_item_sent_again_keeps_its_object_and_is_charged_only_if_it_is_to_blame(desk: Desk, charged: bool) -> None:
    row = desk.submitted("a")

    assert desk.again(row, "SERVER_ERROR", wait_until=NOW + 5, charged=charged)

    assert desk.do(batches.ready_groups, NOW) == []
    assert desk.do(uploads.next_wait, NOW) == NOW + 5
    desk.now += 5
    again = desk.intend()
    assert again is not None and again.items[0].key == row.items[0].key
    assert (again.items[0].attempts, again.items[0].tries) == ((1, {"SERVER_ERROR": 1}) if charged else (0, {}))


def test_tries_are_counted_by_their_code(desk: Desk) -> None:
    desk.take()
    for code in ("SERVER_ERROR", "FILE_403_FORBIDDEN", "SERVER_ERROR"):
        desk.bring_to("submitted")
        (row,) = [one for one in desk.do(batches.open_batches, "submitted") if one.items]
        desk.again(row, code)

    found = desk.recognition_of()
    assert (found.attempts, json.loads(found.tries)) == (3, {"SERVER_ERROR": 2, "FILE_403_FORBIDDEN": 1})


def test_an_item_uploaded_anew_gets_a_new_key_after_the_old_object_is_gone(desk: Desk) -> None:
    row = desk.submitted("a")

    desk.again(row, "FILE_404_NOT_FOUND", reupload=True)

    assert desk.doomed() == {row.items[0].key} and desk.claim() == []
    desk.sweep()
    (job,) = desk.claim()
    assert job.key != row.items[0].key


def test_an_item_sent_again_in_smaller_company_is_a_group_of_its_own_from_then_on(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    desk.again(row, "InternalError.Timeout", company=1)
    desk.take_contents("c")
    desk.upload()

    groups = desk.do(batches.ready_groups, NOW)
    assert {(group.company, group.count) for group in groups} == {(1, 2), (0, 1)}

    (smaller,) = [group for group in groups if group.company == 1]
    second = desk.do(batches.intend, smaller, 1, WHO, desk.epoch, NOW, None)
    assert second is not None and second.total == 1
    desk.do(batches.not_accepted, second.id, "429", NOW, NOW)
    assert {(group.company, group.count) for group in desk.do(batches.ready_groups, NOW)} == {(1, 2), (0, 1)}


def test_an_item_is_judged_once(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.answer(row)

    assert not desk.again(row, "SERVER_ERROR")
    assert not desk.do(batches.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)

    assert desk.recognitions() == ["answered"] and desk.states() == ["due"]


def test_a_batch_is_done_when_every_item_is_judged_and_not_before(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    first, second = (item.recognition_id for item in row.items)
    desk.do(batches.answered, row.id, {first: b"result"}, NOW)

    assert not desk.do(batches.close_if_judged, row.id, 60.0, NOW)
    desk.do(batches.refused, row.id, second, BROKEN, NOW)
    assert desk.do(batches.close_if_judged, row.id, 60.0, NOW)
    assert not desk.do(batches.close_if_judged, row.id, 99.0, NOW)

    assert desk.batch(row.id).state == "done"
    assert list(desk.sql("SELECT billed_seconds FROM batch")) == [(60.0,)]


def test_a_lost_batch_is_not_done(desk: Desk) -> None:
    row = desk.lost("a")
    desk.sql("UPDATE batch_item SET live = 0")

    assert not desk.do(batches.close_if_judged, row.id, None, NOW)


def test_a_task_of_ours_that_the_ledger_forgot_is_adopted_instead_of_paid_again(desk: Desk) -> None:
    ids = desk.take_contents("a", "b")
    desk.upload()
    foreign = "dropscribe/0123/of-another-life.mp3"

    batch_id = desk.do(batches.adopt_unknown, [desk.keys[1], foreign], WHO, "task-9", desk.epoch, NOW)

    assert batch_id is not None
    row = desk.batch(batch_id)
    assert (row.state, row.task_id, row.account) == ("submitted", "task-9", WHO.account)
    assert [item.recognition_id for item in row.items] == ids[1:]
    assert desk.recognitions() == ["uploaded", "submitted"]
    assert desk.do(batches.known_tasks, ["task-9", "task-10"]) == {"task-9"}


@pytest.mark.parametrize("state", ["submitting", "submitted", "answered"])
def test_a_forgotten_task_of_what_is_paid_already_is_not_adopted(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to(state)

    assert desk.do(batches.adopt_unknown, desk.keys, WHO, "task-9", desk.epoch, NOW) is None

    assert desk.recognitions() == [state]


def test_a_task_found_under_a_key_that_was_given_up_is_not_adopted(desk: Desk) -> None:
    row = desk.lost("a")
    desk.do(batches.never_arrived, row.id, "a complete list shows none", NOW)
    desk.sweep()
    desk.upload()

    assert desk.do(batches.adopt_unknown, [row.items[0].key], WHO, "task-9", desk.epoch, NOW) is None


def test_what_could_be_in_a_forgotten_task_is_all_that_waits_for_a_batch(desk: Desk) -> None:
    (first, _) = desk.take_contents("a", "b")
    desk.upload(limit=1)

    assert desk.do(batches.ready_since_before) == [(first, desk.keys[0], NOW)]


def test_tasks_that_were_paid_twice_are_kept_for_people(desk: Desk) -> None:
    row = desk.submitted("a")

    desk.do(batches.paid_twice, row.id, ["task-2", "task-3"])

    assert list(desk.sql("SELECT paid_twice FROM batch")) == [('["task-2", "task-3"]',)]


def test_more_tasks_than_a_statement_can_hold_are_looked_up(desk: Desk) -> None:
    desk.submitted("a", task_id="task-40000")

    assert desk.do(batches.known_tasks, [f"task-{n}" for n in range(40_001)]) == {"task-40000"}


def test_open_batches_are_found_again_with_their_items_in_the_order_of_their_urls(desk: Desk) -> None:
    lost = desk.lost("a", "b", "c")
    desk.submitted("d")
    desk.die()

    (found,) = desk.do(batches.open_batches, "lost")

    assert found == lost and [item.key for item in found.items] == desk.keys[:3]


def test_a_batch_remembers_the_account_that_submitted_it(desk: Desk) -> None:
    desk.take_contents("a")
    desk.upload()
    (group,) = desk.do(batches.ready_groups, NOW)
    other = Identity("https://dashscope-intl.aliyuncs.com", "account-2")

    row = desk.do(batches.intend, group, 1, other, desk.epoch, NOW, None)

    assert row is not None and (row.endpoint, row.account, row.server_time) == (other.endpoint, other.account, None)


def test_a_task_that_its_batch_has_heard_of_meanwhile_was_not_paid_twice(desk: Desk) -> None:
    desk.take_contents("a")
    desk.bring_to("submitted")
    row = desk.do(batches.open_batches, "submitted")[0]
    keys = [item.key for item in row.items]

    assert desk.do(batches.came_late, keys, row.task_id or "", True) is None
    assert desk.do(batches.came_late, keys, "a second task", True) == row.id
    assert desk.do(batches.came_late, keys, "a second task", True) is None, "it is told once"
