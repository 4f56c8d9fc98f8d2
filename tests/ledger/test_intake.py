"""What is taken waits on one recognition of its content and recipe; what is given up in time costs nothing."""

import pytest
from sqlalchemy.exc import IntegrityError

from dropscribe.ledger import batches, deliveries, intake, judgements
from dropscribe.ledger.rows import NewMedia, PlannedOutput
from dropscribe.model import Look, Recipe
from ledger.desk import BROKEN, NOW, Desk, file, sha256


def test_a_new_content_needs_a_recognition(desk: Desk) -> None:
    taken = desk.take(file(b"a.mp3"))

    assert [(one.path, one.recognition, one.new) for one in taken] == [(b"a.mp3", "needed", True)]
    assert desk.media().state == "waiting"
    assert desk.recognition_of().sha256 == sha256("a")


def test_a_path_that_is_not_utf_8_and_an_inode_of_64_bits_come_back_as_they_were(desk: Desk) -> None:
    path, largest = b"\xff\xfe/\n.mp3", 2**64 - 1

    desk.take(file(path, inode=largest))

    known = desk.do(intake.known, "in", [path])
    assert known[path].look == Look(5, 1_600_000_000_000_000_000, largest)


@pytest.mark.parametrize("second_inbox", ["in", "other"])
def test_the_same_content_under_two_paths_is_recognised_once(desk: Desk, second_inbox: str) -> None:
    desk.take(file(b"a.mp3"))

    (joined,) = desk.take(file(b"copy.mp3"), inbox=second_inbox)

    assert not joined.new and desk.recognitions() == ["needed"]


def test_two_files_of_one_content_that_are_taken_together_are_recognised_once(desk: Desk) -> None:
    first, second = desk.take(file(b"a.mp3"), file(b"copy.mp3"))

    assert (first.new, second.new) == (True, False)
    assert desk.recognitions() == ["needed"] and desk.states(b"copy.mp3") == ["waiting"]


@pytest.mark.parametrize(
    "recipe",
    [Recipe("fun-asr-mtl"), Recipe("fun-asr", '{"channel_id":[0]}'), Recipe("fun-asr", "{}", "16k-mono")],
    ids=["model", "settings", "preparation"],
)
def test_the_same_content_with_another_recipe_is_another_recognition(desk: Desk, recipe: Recipe) -> None:
    taken = desk.take(file(b"a.mp3"), file(b"copy.mp3", recipe=recipe))

    assert [one.new for one in taken] == [True, True]
    assert desk.recognitions() == ["needed", "needed"]


@pytest.mark.parametrize("stage", ["uploading", "uploaded", "submitting", "submitted"])
def test_joining_a_recognition_in_flight_is_free_and_its_answer_serves_all(desk: Desk, stage: str) -> None:
    desk.take()
    desk.bring_to(stage)

    (joined,) = desk.take(file(b"copy.mp3"), inbox="other")
    assert (joined.recognition, joined.new) == (stage, False)
    desk.bring_to("answered")

    assert [desk.media().state, desk.media(b"copy.mp3", "other").state] == ["due", "due"]
    assert desk.recognitions() == ["answered"]


def test_joining_an_answered_recognition_is_free_and_owes_outputs_at_once(desk: Desk) -> None:
    desk.answer(desk.submitted("a"))

    (joined,) = desk.take(file(b"copy.mp3"))

    assert (joined.recognition, joined.new) == ("answered", False)
    assert desk.media(b"copy.mp3").state == "due"


def test_after_a_refusal_the_same_content_is_a_new_attempt_and_no_copy_of_the_failure(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    desk.fail(desk.media().id)

    (again,) = desk.take(file(b"a.mp3"))

    assert (again.recognition, again.new) == ("needed", True)
    assert desk.recognitions() == ["refused", "needed"]
    fresh = desk.media()
    assert (fresh.state, fresh.code, desk.recognition(fresh.recognition_id).attempts) == ("waiting", None, 0)
    assert again.failed_before is not None
    assert (again.failed_before.error_file, again.failed_before.moved_to) == (
        b"/failed/a.mp3.error.json",
        b"/failed/a.mp3",
    )


def test_a_success_after_a_refusal_does_not_move_other_failed_copies(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"copy.mp3"))
    desk.upload()
    row = desk.intend()
    assert row is not None
    desk.do(batches.accepted, row.id, "task-1", None, NOW)
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    desk.fail(desk.media(b"a.mp3").id)
    desk.fail(desk.media(b"copy.mp3").id, b"/failed/copy.mp3.error.json")

    desk.take(file(b"a.mp3"))
    desk.upload()
    second = desk.intend()
    assert second is not None
    desk.do(batches.accepted, second.id, "task-2", None, NOW)
    desk.answer(desk.batch(second.id))

    assert desk.states(b"a.mp3") == ["failed", "due"] and desk.states(b"copy.mp3") == ["failed"]


@pytest.mark.parametrize("stage", ["needed", "uploaded"])
def test_a_file_replaced_before_its_submit_is_withdrawn_with_its_recognition_and_object(desk: Desk, stage: str) -> None:
    desk.take()
    desk.bring_to(stage)

    desk.take(file(b"a.mp3", "other content"))

    assert desk.states() == ["withdrawn", "waiting"]
    assert desk.recognitions() == ["abandoned", "needed"]
    assert desk.doomed() == set(desk.keys)


@pytest.mark.parametrize("stage", ["submitting", "submitted"])
def test_a_file_replaced_after_its_submit_is_still_owed_what_was_paid(desk: Desk, stage: str) -> None:
    desk.take()
    desk.bring_to(stage)
    paid = desk.batch(1)

    desk.take(file(b"a.mp3", "other content"))
    desk.answer(paid)

    assert desk.states() == ["due", "waiting"]


def test_a_file_touched_while_it_is_uploaded_waits_on_the_same_recognition(desk: Desk) -> None:
    desk.take()
    desk.bring_to("uploading")

    (again,) = desk.take(file(b"a.mp3", inode=8))

    assert (again.recognition, again.new) == ("uploading", False)
    assert desk.states() == ["withdrawn", "waiting"]


@pytest.mark.parametrize(
    ("stage", "withdrawn"),
    [("needed", True), ("uploading", True), ("uploaded", True), ("submitting", False), ("submitted", False)],
)
def test_a_vanished_source_is_withdrawn_until_its_submit_and_never_after(
    desk: Desk, stage: str, withdrawn: bool
) -> None:
    desk.take()
    desk.bring_to(stage)

    assert desk.do(intake.withdraw, desk.media().id, "it vanished", NOW) is withdrawn

    assert desk.media().state == ("withdrawn" if withdrawn else "waiting")


def test_a_file_is_withdrawn_once(desk: Desk) -> None:
    desk.take()
    assert desk.do(intake.withdraw, desk.media().id, "it vanished", NOW)

    assert not desk.do(intake.withdraw, desk.media().id, "it vanished again", NOW + 9)

    assert (desk.media().reason, desk.media().finished_at) == ("it vanished", NOW)


def test_a_recognition_lives_as_long_as_one_file_waits_on_it(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"copy.mp3"))

    desk.do(intake.withdraw, desk.media(b"a.mp3").id, "it vanished", NOW)
    assert desk.recognitions() == ["needed"]

    desk.do(intake.withdraw, desk.media(b"copy.mp3").id, "it vanished", NOW)
    assert desk.recognitions() == ["abandoned"]


def test_an_abandoned_content_that_comes_back_is_recognised_under_another_key(desk: Desk) -> None:
    desk.take()
    desk.bring_to("uploaded")
    desk.do(intake.withdraw, desk.media().id, "it vanished", NOW)

    desk.take()
    (job,) = desk.claim()

    assert job.key not in desk.doomed() and len(desk.doomed()) == 1


def test_what_is_found_unusable_before_any_upload_fails_for_nothing(desk: Desk) -> None:
    desk.do(intake.take_failed, "in", b"big.mp4", Look(3 * 2**30, 1, 7), BROKEN, NOW)

    assert desk.recognitions() == [] and desk.claim() == []
    (owed,) = desk.owed()
    assert (owed.state, owed.path, owed.code, owed.recognition_id) == ("failing", b"big.mp4", BROKEN.code, None)


OUTPUTS = (PlannedOutput(b"/out/a.json", "json", sha256("json")),)


def test_outputs_that_stand_already_are_adopted_and_nothing_is_bought(desk: Desk) -> None:
    assert desk.do(intake.adopt, "in", file(b"a.mp3"), OUTPUTS, NOW)

    assert (desk.states(), desk.recognitions(), desk.claim(), desk.owed()) == (["delivered"], [], [], [])
    assert desk.do(deliveries.outputs_of, [desk.media().id]) == {desk.media().id: list(OUTPUTS)}


@pytest.mark.parametrize("other", [file(b"a.mp3", "other content"), file(b"copy.mp3")], ids=["path", "content"])
def test_what_the_ledger_knows_is_not_adopted(desk: Desk, other: NewMedia) -> None:
    desk.take(other)

    assert not desk.do(intake.adopt, "in", file(b"a.mp3"), OUTPUTS, NOW)

    assert len(desk.sql("SELECT * FROM media")) == 1 and list(desk.sql("SELECT * FROM output")) == []


def test_known_is_the_latest_row_of_each_path_of_this_inbox_alone(desk: Desk) -> None:
    desk.take(file(b"a.mp3", "one"))
    desk.take(file(b"a.mp3", "two", size=9))
    desk.take(file(b"b.mp3"), inbox="other")

    found = desk.do(intake.known, "in", [b"a.mp3", b"b.mp3", b"never.mp3"])

    assert {path: (known.look.size, known.state) for path, known in found.items()} == {b"a.mp3": (9, "waiting")}


def test_the_database_itself_refuses_a_second_live_recognition_of_the_same_content(desk: Desk) -> None:
    desk.take_contents("a", "b")
    forge = "UPDATE recognition SET sha256 = :same WHERE id = 2"

    with pytest.raises(IntegrityError):
        desk.sql(forge, same=sha256("a"))

    desk.do(intake.withdraw, desk.media(b"a.mp3").id, "it vanished", NOW)
    desk.sql(forge, same=sha256("a"))  # beside a dead one it may stand
