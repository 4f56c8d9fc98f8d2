"""Each file of a batch has its outcome, once: a result, a refusal, or another try."""

from dropscribe.ledger import intake, judgements
from ledger.desk import BROKEN, NOW, Desk, file


def test_a_result_that_is_bought_again_needs_no_new_upload_and_charges_nothing(desk: Desk) -> None:
    row = desk.submitted("a")

    assert desk.do(judgements.buy_again, row.id, row.items[0].recognition_id, "ResultGone", "deleted")

    again = desk.intend()
    assert again is not None and again.items[0].key == row.items[0].key
    assert (again.items[0].attempts, again.items[0].rebuys) == (0, 1)


def test_an_answer_keeps_the_result_owes_the_files_and_dooms_the_object(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    first, second = (item.recognition_id for item in row.items)

    assert desk.do(judgements.answered, row.id, {first: b"result"}, NOW) == {first}

    assert desk.recognitions() == ["answered", "submitted"]
    assert (desk.states(b"a.mp3"), desk.states(b"b.mp3")) == (["due"], ["waiting"])
    assert desk.doomed() == {row.items[0].key}
    assert [item.recognition_id for item in desk.batch(row.id).items] == [second]
    assert list(desk.sql("SELECT recognition_id, body FROM result")) == [(first, b"result")]


def test_an_answer_that_comes_twice_is_new_once(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.answer(row)

    again = desk.do(judgements.answered, row.id, {row.items[0].recognition_id: b"other"}, NOW + 1)

    assert again == set()
    assert list(desk.sql("SELECT count(*) FROM result WHERE body = 'other'")) == [(0,)]


def test_an_answer_for_a_recognition_of_another_batch_is_not_taken(desk: Desk) -> None:
    mine, other = desk.submitted("a", task_id="task-1"), desk.submitted("b", task_id="task-2")

    assert desk.do(judgements.answered, mine.id, {other.items[0].recognition_id: b"result"}, NOW) == set()

    assert desk.recognitions() == ["submitted", "submitted"]


def test_a_refusal_fails_every_subscriber_with_its_own_reason_and_dooms_the_object(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"copy.mp3"))
    desk.bring_to("submitted")
    row = desk.batch(1)

    assert desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    assert not desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)

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

    desk.do(judgements.refused, 1, desk.recognition_of().id, BROKEN, NOW)

    assert (desk.states(b"a.mp3"), desk.states(b"gone.mp3")) == (["failing"], ["withdrawn"])


def test_an_item_is_judged_once(desk: Desk) -> None:
    row = desk.submitted("a")
    desk.answer(row)

    assert not desk.again(row, "SERVER_ERROR")
    assert not desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)

    assert desk.recognitions() == ["answered"] and desk.states() == ["due"]


def test_a_batch_is_done_when_every_item_is_judged_and_not_before(desk: Desk) -> None:
    row = desk.submitted("a", "b")
    first, second = (item.recognition_id for item in row.items)
    desk.do(judgements.answered, row.id, {first: b"result"}, NOW)

    assert not desk.do(judgements.close_if_judged, row.id, 60.0, NOW)
    desk.do(judgements.refused, row.id, second, BROKEN, NOW)
    assert desk.do(judgements.close_if_judged, row.id, 60.0, NOW)
    assert not desk.do(judgements.close_if_judged, row.id, 99.0, NOW)

    assert desk.batch(row.id).state == "done"
    assert list(desk.sql("SELECT billed_seconds FROM batch")) == [(60.0,)]


def test_a_lost_batch_is_not_done(desk: Desk) -> None:
    row = desk.lost("a")
    desk.sql("UPDATE batch_item SET live = 0")

    assert not desk.do(judgements.close_if_judged, row.id, None, NOW)


def test_who_waits_for_a_recognition_is_known_by_inbox_and_path(desk: Desk) -> None:
    desk.take(file(b"one.mp3", "same"), file(b"two.mp3", "same"))
    desk.upload()
    row = desk.intend()
    assert row is not None
    [item] = row.items

    assert desk.do(judgements.subscribers, item.recognition_id) == [("in", b"one.mp3"), ("in", b"two.mp3")]
