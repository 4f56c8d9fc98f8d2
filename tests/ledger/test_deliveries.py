"""What a file is owed, under names that were reserved before they are used."""

import pytest

from dropscribe.ledger import batches, deliveries, intake, judgements
from dropscribe.ledger.rows import PlannedOutput, Reservation, StaleWrite
from ledger.desk import BROKEN, NOW, Desk, file, sha256


@pytest.fixture
def due(desk: Desk) -> int:
    """The media id of `a.mp3`, answered and owed its outputs."""
    desk.take()
    desk.bring_to("answered")
    media_id: int = desk.media().id
    return media_id


def output(name: bytes, content: str = "json", replaces: str = "") -> PlannedOutput:
    return PlannedOutput(b"/out/" + name, "json", sha256(content), replaces)


def test_a_file_is_owed_its_outputs_with_all_that_they_need(desk: Desk, due: int) -> None:
    (owed,) = desk.owed()

    assert (owed.media_id, owed.inbox, owed.path, owed.state) == (due, "in", b"a.mp3", "due")
    assert (owed.sha256, owed.model, owed.settings, owed.task_id) == (sha256("a"), "fun-asr", "{}", "task-1")
    assert (owed.moved_to, owed.error_file, owed.code, owed.attempts) == (None, None, None, 0)
    assert desk.do(deliveries.results, [owed.recognition_id]) == {1: b"result of 1"}


def test_files_are_owed_in_the_order_they_were_taken_and_of_one_inbox_at_a_time(desk: Desk) -> None:
    desk.take(file(b"b.mp3", "b"), file(b"a.mp3", "a"), file(b"c.mp3", "c"))
    desk.take(file(b"d.mp3", "d"), inbox="other")
    desk.answer_all()

    assert [owed.path for owed in desk.owed()] == [b"b.mp3", b"a.mp3", b"c.mp3"]
    assert [owed.path for owed in desk.owed(limit=2)] == [b"b.mp3", b"a.mp3"]
    assert [owed.path for owed in desk.owed("other")] == [b"d.mp3"]


@pytest.mark.parametrize("stage", ["needed", "uploading", "uploaded", "submitting", "submitted"])
def test_a_file_that_waits_for_its_recognition_is_owed_nothing(desk: Desk, stage: str) -> None:
    desk.take()
    desk.bring_to(stage)

    assert desk.owed() == []


def test_an_interrupted_delivery_is_owed_again_with_its_reserved_names(desk: Desk, due: int) -> None:
    desk.reserve(due, b"a.json", moved_to=b"/done/a.mp3")
    desk.die()

    (owed,) = desk.owed()

    assert (owed.state, owed.moved_to) == ("delivering", b"/done/a.mp3")
    assert desk.do(deliveries.outputs_of, [due]) == {due: [output(b"a.json")]}


def test_an_interrupted_failure_is_owed_again_with_its_reserved_names(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    media_id = desk.media().id
    plan = Reservation(media_id, (), b"/failed/a.mp3", b"/failed/a.mp3.error.json")
    desk.do(deliveries.reserve_failures, [plan])
    desk.die()

    (owed,) = desk.owed()

    assert (owed.state, owed.moved_to, owed.error_file) == ("failing", b"/failed/a.mp3", b"/failed/a.mp3.error.json")
    assert (owed.code, owed.message, owed.remedy, owed.request_id, owed.task_id, owed.attempts) == (
        BROKEN.code,
        BROKEN.message,
        BROKEN.remedy,
        BROKEN.request_id,
        BROKEN.task_id,
        BROKEN.attempts,
    )


def test_what_is_delivered_or_failed_is_owed_no_more(desk: Desk, due: int) -> None:
    desk.do(intake.take_failed, "in", b"big.mp4", file().fingerprint.look, BROKEN, NOW)
    desk.deliver(due)
    desk.fail(desk.media(b"big.mp4").id)

    assert desk.owed() == []
    assert (desk.media().state, desk.media().finished_at) == ("delivered", NOW)
    assert desk.media(b"big.mp4").state == "failed"


def test_why_a_source_stayed_is_kept_with_its_delivery(desk: Desk, due: int) -> None:
    desk.reserve(due)

    desk.do(deliveries.delivered, [(due, "the source had vanished from the inbox")], NOW)

    assert desk.media().reason == "the source had vanished from the inbox"


def test_two_versions_of_one_path_are_delivered_one_after_the_other(desk: Desk) -> None:
    desk.take(file(b"talk.mp3", "first"))
    desk.bring_to("submitted", b"talk.mp3")
    desk.take(file(b"b.mp3", "b"), file(b"talk.mp3", "second"))
    desk.answer_all()
    assert desk.states(b"talk.mp3") == ["due", "due"]

    first, other = desk.owed()
    assert (first.path, first.sha256, other.path) == (b"talk.mp3", sha256("first"), b"b.mp3")
    desk.do(deliveries.postpone, [first.media_id], "the outbox is missing", NOW + 60)
    assert [owed.path for owed in desk.owed()] == [b"b.mp3"], "a later version must not overtake"
    desk.deliver(first.media_id, other.media_id)

    (second,) = desk.owed()
    assert second.sha256 == sha256("second")


def test_an_output_belongs_to_the_file_it_was_written_for(desk: Desk, due: int) -> None:
    desk.reserve(due, b"a.json")

    found = desk.do(deliveries.owners, [b"/out/a.json", b"/out/foreign.json"])

    assert set(found) == {b"/out/a.json"}
    owner = found[b"/out/a.json"]
    assert (owner.media_id, owner.inbox, owner.source, owner.source_sha256) == (due, "in", b"a.mp3", sha256("a"))
    assert (owner.state, owner.sha256, owner.replaces) == ("delivering", sha256("json"), "")


def test_a_name_of_an_earlier_delivery_passes_to_the_later_one(desk: Desk, due: int) -> None:
    desk.reserve(due, b"a.json", b"a.srt")
    desk.do(deliveries.delivered, [(due, None)], NOW)
    desk.take(file(b"a.mp3", "rewritten"))
    desk.bring_to("answered")
    later = desk.media().id

    plan = Reservation(later, (output(b"a.json", "new", replaces=sha256("json")),), None)
    desk.do(deliveries.reserve, [plan])

    assert desk.do(deliveries.owners, [b"/out/a.json"])[b"/out/a.json"].media_id == later
    assert desk.do(deliveries.outputs_of, [due, later]) == {due: [output(b"a.srt")], later: list(plan.outputs)}


def test_a_second_plan_takes_the_place_of_the_first(desk: Desk, due: int) -> None:
    desk.reserve(due, b"a.json", b"a.srt")

    desk.reserve(due, b"a.mp3.json", moved_to=b"/done/a~2.mp3")

    assert desk.do(deliveries.outputs_of, [due]) == {due: [output(b"a.mp3.json")]}
    assert desk.media().moved_to == b"/done/a~2.mp3"


def test_names_for_a_file_that_is_not_owed_any_more_are_not_reserved_nor_any_of_its_group(desk: Desk) -> None:
    desk.take_contents("a", "b")
    desk.answer_all()
    first, second = desk.media(b"a.mp3").id, desk.media(b"b.mp3").id
    desk.deliver(first)
    plans = [Reservation(number, (output(b"%d" % number),), None) for number in (second, first)]

    with pytest.raises(StaleWrite):
        desk.do(deliveries.reserve, plans)

    assert desk.media(b"b.mp3").state == "due" and second not in desk.do(deliveries.outputs_of, [second])


def test_a_file_that_does_not_fail_any_more_reserves_no_error_file(desk: Desk, due: int) -> None:
    with pytest.raises(StaleWrite):
        desk.do(deliveries.reserve_failures, [Reservation(due, (), None, b"/failed/a.mp3.error.json")])

    assert (desk.media().state, desk.media().error_file) == ("due", None)


def test_delivered_counts_only_for_what_was_being_delivered(desk: Desk, due: int) -> None:
    desk.do(deliveries.delivered, [(due, None)], NOW)

    assert desk.media().state == "due"


def test_a_postponed_file_waits_and_the_next_time_is_told(desk: Desk, due: int) -> None:
    desk.do(deliveries.postpone, [due], "the disk is full", NOW + 60)

    assert desk.owed() == [] and desk.do(deliveries.next_owed, "in", NOW) == NOW + 60
    assert desk.media().reason == "the disk is full"
    desk.now += 60
    assert len(desk.owed()) == 1 and desk.do(deliveries.next_owed, "in", desk.now) is None
    desk.deliver(due)
    assert (desk.media().reason, desk.media().wait_until) == (None, 0.0)


def test_postponing_a_group_says_nothing_of_those_that_are_finished(desk: Desk, due: int) -> None:
    desk.deliver(due)

    desk.do(deliveries.postpone, [due], "a bug", NOW + 60)

    assert (desk.media().reason, desk.media().wait_until) == (None, 0.0)


def test_a_result_that_cannot_be_used_fails_the_file_once(desk: Desk, due: int) -> None:
    assert desk.do(deliveries.fail, due, BROKEN)
    assert not desk.do(deliveries.fail, due, BROKEN)

    (owed,) = desk.owed()
    assert (owed.state, owed.code) == ("failing", BROKEN.code)


def test_an_error_file_belongs_to_the_source_it_was_written_for(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    desk.fail(desk.media().id, b"/failed/a.mp3.error.json")

    assert desk.do(deliveries.error_file_owner, b"/failed/a.mp3.error.json") == ("in", b"a.mp3")
    assert desk.do(deliveries.error_file_owner, b"/failed/foreign.error.json") is None


def test_open_and_failed_files_are_counted(desk: Desk) -> None:
    desk.take_contents("delivered", "failed", "failing", "withdrawn", "waiting")
    desk.do(intake.withdraw, desk.media(b"withdrawn.mp3").id, "it vanished", NOW)
    desk.upload(limit=3)
    row = desk.intend()
    assert row is not None
    desk.do(batches.accepted, row.id, "task-1", None, NOW)
    first, second, third = (item.recognition_id for item in row.items)
    desk.do(judgements.answered, row.id, {first: b"result"}, NOW)
    desk.do(judgements.refused, row.id, second, BROKEN, NOW)
    desk.do(judgements.refused, row.id, third, BROKEN, NOW)
    desk.deliver(desk.media(b"delivered.mp3").id)
    desk.now += 100
    desk.fail(desk.media(b"failed.mp3").id)

    assert desk.do(deliveries.count_open, ["in", "other"]) == 2
    assert desk.do(deliveries.count_open, ["other"]) == 0
    assert desk.do(deliveries.count_failed, NOW + 100) == 1
    assert desk.do(deliveries.count_failed, NOW + 101) == 0


def test_a_name_that_another_source_reserved_since_is_not_passed_on(desk: Desk) -> None:
    desk.take(file(b"x.mp3", "a"), file(b"y.mp3", "c"))
    desk.take(file(b"x.mp3", "b"), inbox="other")
    desk.answer_all()
    first, free, second = desk.media(b"x.mp3").id, desk.media(b"y.mp3").id, desk.media(b"x.mp3", "other").id
    plans = [Reservation(first, (output(b"x.srt"), output(b"x.json")), None)]
    late = [Reservation(second, (output(b"x.srt"), output(b"x.json")), None), Reservation(free, (output(b"y"),), None)]

    assert desk.do(deliveries.reserve, plans) == {first}
    assert desk.do(deliveries.reserve, late, {first}) == {free}

    assert {owner.media_id for owner in desk.do(deliveries.owners, [b"/out/x.srt", b"/out/x.json"]).values()} == {first}
    assert desk.media(b"x.mp3", "other").state == "due"


def test_a_name_that_another_source_gave_up_passes_only_to_who_knew(desk: Desk, due: int) -> None:
    desk.reserve(due, b"a.json")
    desk.do(deliveries.delivered, [(due, None)], NOW)
    desk.take(file(b"b.mp3", "b"))
    desk.answer_all()
    later = desk.media(b"b.mp3").id
    plan = Reservation(later, (output(b"a.json"),), None)

    assert desk.do(deliveries.reserve, [plan]) == set()
    assert desk.do(deliveries.reserve, [plan], {due}) == {later}


def test_a_name_in_failed_that_another_source_has_is_refused(desk: Desk) -> None:
    look = file().fingerprint.look
    for inbox in ("in", "other"):
        desk.do(intake.take_failed, inbox, b"a.mp3", look, BROKEN, NOW)
    first, second = desk.media().id, desk.media(inbox="other").id
    paths = (b"/failed/a.mp3", b"/failed/a.mp3.error.json")

    assert desk.do(deliveries.reserve_failures, [Reservation(first, (), *paths)]) == {first}
    assert desk.do(deliveries.reserve_failures, [Reservation(second, (), *paths)], {first}) == set()
    desk.do(deliveries.failed, [(first, None)], NOW)
    assert desk.do(deliveries.reserve_failures, [Reservation(second, (), *paths)]) == set()
    assert desk.do(deliveries.reserve_failures, [Reservation(second, (), *paths)], {first}) == {second}


def test_what_fails_is_asked_for_apart_from_what_is_delivered(desk: Desk, due: int) -> None:
    desk.do(intake.take_failed, "in", b"big.mp4", file().fingerprint.look, BROKEN, NOW)

    assert [one.path for one in desk.do(deliveries.owed, "in", 1, NOW, ("failing",))] == [b"big.mp4"]
    assert [one.media_id for one in desk.do(deliveries.owed, "in", 1, NOW, ("due", "delivering"))] == [due]


def test_files_of_some_batches_can_be_left_out_of_the_count_of_what_is_open(desk: Desk) -> None:
    theirs = desk.submitted("a")
    desk.take(file(b"b.mp3", "b"))

    assert desk.do(deliveries.count_open, ["in"]) == 2
    assert desk.do(deliveries.count_open, ["in"], {theirs.id}) == 1
