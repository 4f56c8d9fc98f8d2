"""The paid call: intent before it, one open payment a recognition, and every outcome of it written down."""

import json

import pytest
from sqlalchemy.exc import IntegrityError

from dropscribe.ledger import batches, intake, judgements, uploads
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
        assert desk.do(judgements.buy_again, row.id, number, "ResultGone", "deleted")
    desk.bring_to("submitted")
    (second,) = [one for one in desk.do(batches.open_batches, "submitted") if one.items]

    assert not desk.do(judgements.buy_again, second.id, number, "ResultGone", "deleted")

    assert desk.recognition(number).rebuys == 1
    assert desk.recognitions() == ["submitted"] and len(desk.batch(second.id).items) == 1


def test_an_answer_clears_what_was_said_of_earlier_tries(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.again(row, "SERVER_ERROR")

    desk.bring_to("answered")

    found = desk.recognition_of()
    assert (found.code, found.message, found.attempts) == (None, None, 1)


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
