"""What belongs to no single room: identity, claims of the dead, lessons, folders, and what is dropped with time."""

import pytest

from dropscribe.ledger import batches, deliveries, intake, upkeep, uploads
from dropscribe.model import Look, Scope
from ledger.desk import BROKEN, NOW, Desk, file


def test_the_name_of_a_ledger_is_chosen_once(desk: Desk) -> None:
    assert desk.do(upkeep.ledger_id, "0123") == "0123"
    assert desk.do(upkeep.ledger_id, "4567") == "0123"


def test_each_process_has_a_number_of_its_own_and_open_scopes_end_with_it(desk: Desk) -> None:
    desk.do(upkeep.open_scope, Scope("api", "InvalidApiKey", "wrong key", "", NOW, NOW + 5))

    desk.die()

    assert desk.epoch == 2 and list(desk.sql("SELECT * FROM scope")) == []


@pytest.mark.parametrize("state", ["needed", "uploaded", "submitted", "answered"])
def test_a_restart_changes_nothing_that_was_not_claimed(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to(state)
    before = list(desk.sql("SELECT * FROM recognition")), list(desk.sql("SELECT * FROM batch"))

    desk.die()

    assert (list(desk.sql("SELECT * FROM recognition")), list(desk.sql("SELECT * FROM batch"))) == before


def test_an_open_scope_keeps_the_moment_it_opened(desk: Desk) -> None:
    desk.do(upkeep.open_scope, Scope("api", "InvalidApiKey", "wrong key", "look", NOW, NOW + 5))

    desk.do(upkeep.open_scope, Scope("api", "Arrearage", "unpaid", "pay", NOW + 9, NOW + 19))

    columns = "name, code, message, remedy, since, retry_at"
    assert list(desk.sql(f"SELECT {columns} FROM scope")) == [("api", "Arrearage", "unpaid", "pay", NOW, NOW + 19)]
    desk.do(upkeep.close_scope, "api")
    assert list(desk.sql("SELECT * FROM scope")) == []


def test_a_lesson_holds_for_its_time_and_is_learnt_anew(desk: Desk) -> None:
    desk.do(upkeep.learn, "one-url fun-asr", "InvalidParameter", NOW + 10)
    assert desk.do(upkeep.lessons, NOW) == {"one-url fun-asr": NOW + 10}
    assert desk.do(upkeep.lessons, NOW + 10) == {}

    desk.do(upkeep.learn, "one-url fun-asr", "InvalidParameter", NOW + 20)

    assert len(desk.do(upkeep.lessons, NOW + 10)) == 1


def test_a_folder_is_remembered_under_its_bytes(desk: Desk) -> None:
    assert desk.do(upkeep.folder_mark, b"/in/\xff") is None
    desk.do(upkeep.remember_folder, b"/in/\xff", "first", NOW)

    desk.do(upkeep.remember_folder, b"/in/\xff", "second", NOW + 1)

    assert desk.do(upkeep.folder_mark, b"/in/\xff") == "second"
    assert list(desk.sql("SELECT first_seen FROM folder")) == [(NOW,)]


def test_an_object_that_goes_leaves_with_the_parts_of_its_unfinished_upload(desk: Desk) -> None:
    desk.take(file(size=5000))
    (job,) = desk.claim(multipart_above=1000)
    desk.do(uploads.upload_begun, job.key, "upload-1")
    desk.do(uploads.source_lost, job, [(job.sources[0].media_id, "it vanished")], NOW)

    (doomed,) = desk.do(upkeep.doomed_objects, 10)

    assert (doomed.key, doomed.multipart, doomed.upload_id) == (job.key, True, "upload-1")
    assert desk.do(upkeep.doomed_objects, 10, [job.key]) == []
    desk.do(upkeep.objects_gone, [job.key])
    assert list(desk.sql("SELECT * FROM stored_object")) == []


def test_an_object_that_is_in_use_cannot_be_struck_out(desk: Desk) -> None:
    desk.take()
    desk.bring_to("submitted")

    desk.do(upkeep.objects_gone, desk.keys)

    assert list(desk.objects()) == desk.keys


@pytest.mark.parametrize("state", ["due", "delivering", "delivered"])
def test_a_result_is_dropped_with_age_but_never_while_somebody_is_owed_it(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to("answered")
    if state != "due":
        desk.reserve(desk.media().id)
    if state == "delivered":
        desk.do(deliveries.delivered, [(desk.media().id, None)], NOW)

    dropped = desk.do(upkeep.forget_results, NOW + 1)

    assert dropped == (state == "delivered")
    assert len(desk.do(deliveries.results, [1])) == (state != "delivered")
    assert desk.recognitions() == (["forgotten"] if state == "delivered" else ["answered"])


def test_a_result_younger_than_the_bound_is_kept(desk: Desk) -> None:
    desk.take()
    desk.bring_to("answered")
    desk.deliver(desk.media().id)

    assert desk.do(upkeep.forget_results, NOW) == 0


def test_a_copy_that_joined_late_keeps_the_result_of_all(desk: Desk) -> None:
    desk.take()
    desk.bring_to("answered")
    desk.deliver(desk.media().id)
    desk.take(file(b"copy.mp3"))

    assert desk.do(upkeep.forget_results, NOW + 1) == 0


def test_a_content_whose_result_was_dropped_is_recognised_anew(desk: Desk) -> None:
    desk.take()
    desk.bring_to("answered")
    desk.deliver(desk.media().id)
    desk.do(upkeep.forget_results, NOW + 1)

    (taken,) = desk.take(file(b"copy.mp3"))

    assert taken.new and desk.recognitions() == ["forgotten", "needed"]


def test_many_old_results_are_dropped_in_bites(desk: Desk) -> None:
    desk.take_contents(*(str(n) for n in range(upkeep.FORGET_AT_ONCE + 1)))
    desk.upload()
    row = desk.intend(limit=1000)
    assert row is not None
    desk.do(batches.accepted, row.id, "task-1", None, NOW)
    desk.answer(desk.batch(row.id))
    desk.sql("UPDATE media SET state = 'delivered'")

    assert [desk.do(upkeep.forget_results, NOW + 1) for _ in range(3)] == [upkeep.FORGET_AT_ONCE, 1, 0]


def test_a_try_that_failed_is_a_move_though_nothing_else_has_changed(desk: Desk) -> None:
    desk.take_contents("a")
    before = desk.do(upkeep.standing)
    still = desk.do(upkeep.standing, before)

    [job] = desk.claim()
    desk.do(uploads.charge, job.recognition_id, "ChecksumMismatch", "no", NOW)
    desk.sql("DELETE FROM stored_object")
    failed = desk.do(upkeep.standing, still)

    assert failed.counts == still.counts
    assert failed.moves(still)
    assert not desk.do(upkeep.standing, failed).moves(failed)


def test_what_is_out_moves_and_what_only_waits_does_not(desk: Desk) -> None:
    desk.take_contents("a")
    first = desk.do(upkeep.standing)
    second = desk.do(upkeep.standing, first)

    assert not desk.do(upkeep.standing, second).moves(second)

    desk.claim()
    claimed = desk.do(upkeep.standing, second)
    assert claimed.moves(second)
    assert desk.do(upkeep.standing, claimed).moves(claimed)


@pytest.mark.parametrize(("wait", "waits"), [(60.0, True), (900.0, True), (8 * 3600.0, False)])
def test_a_delivery_waits_for_no_moment_that_only_a_wrong_clock_can_have_named(
    desk: Desk, wait: float, waits: bool
) -> None:
    desk.do(intake.take_failed, "talks", b"a.mp3", Look(1, 1, 1), BROKEN, NOW)
    desk.do(deliveries.postpone, [1], "an obstacle", NOW + wait)

    assert desk.do(upkeep.wait_no_longer, NOW, NOW + 900.0) == (0 if waits else 1)

    assert desk.do(deliveries.next_owed, "talks", NOW) == (NOW + wait if waits else None)
    assert len(desk.do(deliveries.owed, "talks", 10, NOW)) == (0 if waits else 1)
