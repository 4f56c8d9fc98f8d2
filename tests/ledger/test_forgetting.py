"""What a person gives up is withdrawn with its story; nothing is bought for nobody, and nobody else loses anything."""

from collections.abc import Callable

import pytest

from dropscribe.ledger import batches, deliveries, forgetting, judgements, uploads
from dropscribe.ledger.rows import BatchRow
from ledger.desk import BROKEN, NOW, Desk, file

WHY = "a person gave it up; it was submitted"
DAY = 86400.0


def give_up(desk: Desk, *paths: bytes, sent_before: float = 0.0) -> set[int]:
    files = [(desk.media(path).id, WHY) for path in paths or (b"a.mp3",)]
    return desk.do(forgetting.give_up, files, desk.now, sent_before)


@pytest.mark.parametrize("state", ["needed", "uploaded", "submitting", "submitted", "answered"])
def test_it_is_withdrawn_wherever_it_stands_with_the_reason(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to(state)

    assert give_up(desk) == {desk.media().id}

    row = desk.media()
    assert (row.state, row.reason, row.finished_at) == ("withdrawn", WHY, NOW)
    assert give_up(desk) == set()


@pytest.mark.parametrize("state", ["needed", "uploaded"])
def test_what_nothing_was_sent_of_is_dropped_with_its_object_and_its_reservation(desk: Desk, state: str) -> None:
    desk.take()
    desk.bring_to(state)

    give_up(desk)

    assert desk.recognitions() == ["abandoned"]
    assert desk.objects() == {} and desk.claim() == [] and desk.intend() is None
    assert list(desk.sql("SELECT * FROM reservation")) == []


def test_an_upload_under_way_is_dropped_when_it_ends(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()
    give_up(desk)

    assert not desk.do(uploads.all_uploaded, [(job.recognition_id, False)], NOW)

    assert desk.recognitions() == ["abandoned"] and desk.doomed() == {job.key}


def test_the_answer_to_what_was_sent_is_kept_and_serves_whoever_comes_later(desk: Desk) -> None:
    row = desk.submitted("a")
    give_up(desk)

    desk.answer(row)

    assert desk.recognitions() == ["answered"] and desk.owed() == []
    desk.take(file(b"copy.mp3", "a"))
    assert desk.media(b"copy.mp3").state == "due"


def never_arrived(desk: Desk, row: BatchRow) -> None:
    desk.do(batches.never_arrived, row.id, "a complete list shows none", NOW)


def not_accepted(desk: Desk, row: BatchRow) -> None:
    desk.do(batches.not_accepted, row.id, "429", NOW, NOW)


def dropped(desk: Desk, row: BatchRow) -> None:
    desk.do(batches.dropped, row.id, BROKEN, NOW)


def sent_again(desk: Desk, row: BatchRow) -> None:
    desk.again(row, "SERVER_ERROR")


def bought_again(desk: Desk, row: BatchRow) -> None:
    desk.do(judgements.buy_again, row.id, row.items[0].recognition_id, "ResultGone", "deleted")


@pytest.mark.parametrize(
    ("how_far", "end"),
    [
        ("intended", not_accepted),
        ("lost", never_arrived),
        ("lost", dropped),
        ("submitted", dropped),
        ("submitted", sent_again),
        ("submitted", bought_again),
    ],
)
def test_what_would_have_to_be_sent_again_is_sent_for_nobody(
    desk: Desk, how_far: str, end: Callable[[Desk, BatchRow], None]
) -> None:
    row: BatchRow = getattr(desk, how_far)("a", "b")
    give_up(desk)

    end(desk, row)
    if end is bought_again:
        sent_again(desk, desk.batch(row.id))

    assert desk.recognition_of(b"a.mp3").state == "abandoned"
    assert desk.recognition_of(b"b.mp3").state in ("needed", "uploaded"), "the other file goes on"
    desk.sweep()
    desk.upload()
    again = desk.intend()
    assert again is not None and [item.recognition_id for item in again.items] == [desk.recognition_of(b"b.mp3").id]


@pytest.mark.parametrize("state", ["uploaded", "submitted", "answered"])
def test_another_file_of_the_same_content_goes_on(desk: Desk, state: str) -> None:
    desk.take(file(b"a.mp3", "a"), file(b"copy.mp3", "a", inode=9))
    desk.bring_to(state)

    give_up(desk, sent_before=NOW + DAY)

    assert desk.media(b"copy.mp3").state in ("waiting", "due")
    assert desk.recognition_of(b"copy.mp3").state == state


@pytest.mark.parametrize("state", ["lost", "submitted"])
def test_a_batch_that_left_so_long_ago_that_nothing_can_come_of_it_is_over_at_once(desk: Desk, state: str) -> None:
    row: BatchRow = getattr(desk, state)("a", "b")
    give_up(desk, b"a.mp3", sent_before=NOW + 1)
    assert desk.batch(row.id).state == state, "somebody waits for the other file"

    give_up(desk, b"b.mp3", sent_before=NOW + 1)

    assert desk.batch(row.id).state == "dropped" and desk.recognitions() == ["abandoned", "abandoned"]
    assert desk.doomed() == set(row.keys)
    desk.take(file(b"a.mp3", "a"))
    assert desk.recognition_of().id not in [item.recognition_id for item in row.items]


def test_a_younger_batch_runs_its_course_and_is_dropped_unwanted_unless_somebody_comes(desk: Desk) -> None:
    row = desk.submitted("a")
    assert not desk.do(batches.dropped_unwanted, row.id, BROKEN, NOW)

    give_up(desk, sent_before=NOW)
    desk.take(file(b"copy.mp3", "a"))
    assert not desk.do(batches.dropped_unwanted, row.id, BROKEN, NOW), "a copy waits for it"
    give_up(desk, b"copy.mp3", sent_before=NOW)

    assert desk.do(batches.dropped_unwanted, row.id, BROKEN, NOW)
    assert desk.recognitions() == ["abandoned"]


@pytest.mark.parametrize("state", ["delivering", "failing"])
def test_what_waits_for_a_folder_that_never_comes_back_is_given_up_as_well(desk: Desk, state: str) -> None:
    row = desk.submitted("a")
    if state == "failing":
        desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    else:
        desk.answer(row)
        desk.reserve(desk.media().id)
    assert desk.media().state == state

    give_up(desk)

    assert desk.states() == ["withdrawn"] and desk.owed() == []
    desk.do(deliveries.delivered, [(desk.media().id, None)], NOW)
    assert desk.states() == ["withdrawn"]


def test_what_has_ended_is_not_given_up(desk: Desk) -> None:
    desk.submitted("a")
    desk.answer_all()
    desk.deliver(desk.media().id)

    assert give_up(desk) == set()

    assert desk.states() == ["delivered"]
