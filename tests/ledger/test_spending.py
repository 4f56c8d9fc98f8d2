"""What may be spent: reserved before it is uploaded, counted once, settled by what was billed."""

import pytest
from sqlalchemy import event

from dropscribe.allowance import Limit
from dropscribe.ledger import batches, forgetting, intake, judgements, spending, stories, tasklist, uploads
from ledger.desk import BROKEN, NOW, Desk, file

MP3_SECOND = 8000


def limit(desk: Desk, seconds: float | None, since: float = 0.0) -> None:
    desk.do(spending.set_limits, () if seconds is None else (Limit("day", seconds, since),))


def take(desk: Desk, *names: str, seconds: float = 10.0) -> list[int]:
    """New recordings that are guessed to last so long."""
    size = int(seconds * MP3_SECOND)
    desk.take(*(file(f"{name}.mp3".encode(), name, size=size) for name in names))
    return [desk.recognition_of(f"{name}.mp3".encode()).id for name in names]


def claimed(desk: Desk, limit: int = 1000) -> list[int]:
    return [job.recognition_id for job in desk.claim(limit)]


def open_rows(desk: Desk) -> list[tuple[str, float]]:
    return [tuple(row) for row in desk.sql("SELECT state, seconds FROM reservation ORDER BY id")]


def usage(desk: Desk) -> tuple[float, float, float]:
    """(billed, guessed, reserved)."""
    found = desk.do(spending.usage, 0.0)
    return found.billed, found.guessed, found.reserved


def test_what_is_claimed_is_reserved_also_where_nothing_is_limited(desk: Desk) -> None:
    take(desk, "a")

    desk.claim()

    assert open_rows(desk) == [("reserved", 10.0)]


def test_what_does_not_fit_is_not_claimed_and_smaller_ones_pass_it(desk: Desk) -> None:
    limit(desk, 25.0)
    [first] = take(desk, "first")
    [large] = take(desk, "large", seconds=20.0)
    [small] = take(desk, "small", seconds=15.0)

    assert claimed(desk) == [first, small]
    assert ("held", 20.0) in open_rows(desk)
    assert desk.do(stories.files_at, "in", b"large.mp3")[0].held_seconds == 20.0
    assert desk.do(uploads.any_needed, desk.now) is False
    assert large not in claimed(desk)


def test_a_measured_duration_counts_for_each_channel_and_an_unknown_one_is_guessed(desk: Desk) -> None:
    [first, second] = take(desk, "a", "b")

    desk.do(uploads.claim, 10, NOW, 1, desk.new_key, 10**9, uploads.AS_USUAL, {first: 3.0, second: None})

    rows = desk.sql("SELECT seconds, guessed FROM reservation ORDER BY id")
    assert [tuple(row) for row in rows] == [(3.0, 0), (10.0, 1)]


def test_what_lies_in_an_inbox_that_is_out_of_order_takes_no_room(desk: Desk) -> None:
    limit(desk, 10.0)
    take(desk, "away")
    desk.take(file(b"well.mp3", "well", size=10 * MP3_SECOND), inbox="well")

    jobs = desk.do(uploads.claim, 10, NOW, 1, desk.new_key, 10**9, uploads.Turns(["in"]))

    assert [job.sources[0].path for job in jobs] == [b"well.mp3"]


def test_a_dead_claim_keeps_its_reservation_and_is_not_reserved_twice(desk: Desk) -> None:
    limit(desk, 10.0)
    [number] = take(desk, "a")
    desk.claim()

    desk.die()

    assert claimed(desk) == [number]
    assert open_rows(desk) == [("reserved", 10.0)]


def test_the_database_refuses_a_second_reservation_of_one_payment(desk: Desk) -> None:
    [number] = take(desk, "a")
    desk.claim()

    with pytest.raises(Exception, match="UNIQUE"):
        desk.sql(
            "INSERT INTO reservation (recognition_id, state, seconds, guessed, since) VALUES (:n, 'reserved', 1, 0, 0)",
            n=number,
        )


def test_what_is_billed_takes_the_place_of_what_was_reserved(desk: Desk) -> None:
    take(desk, "a", "b")
    row = desk_submits(desk)

    desk.answer(row)
    assert usage(desk) == (0.0, 0.0, 20.0)
    assert desk.do(judgements.close_if_judged, row.id, 7.0, NOW)

    assert usage(desk) == (7.0, 0.0, 0.0)
    assert open_rows(desk) == []


def desk_submits(desk: Desk) -> batches.BatchRow:
    desk.upload()
    row = desk.intend()
    assert row is not None
    desk.do(batches.accepted, row.id, f"task-{row.id}", None, NOW)
    return desk.batch(row.id)


def test_a_bill_that_does_not_come_leaves_it_to_the_results_or_to_what_was_reserved(desk: Desk) -> None:
    take(desk, "a")
    row = desk_submits(desk)
    desk.answer(row)
    desk.do(judgements.close_if_judged, row.id, None, NOW)

    found = desk.do(spending.unsettled)
    assert found is not None and found[0] == row.id and [seconds for seconds, _ in found[1]] == [10.0]
    desk.do(spending.settle_unsaid, row.id, 4.0, NOW)
    desk.do(spending.settle_unsaid, row.id, 4.0, NOW)  # told again after a death

    assert usage(desk) == (0.0, 4.0, 0.0)
    assert desk.do(spending.unsettled) is None


def test_a_batch_that_was_not_accepted_or_never_arrived_costs_nothing_and_stays_reserved(desk: Desk) -> None:
    take(desk, "a")
    desk.upload()
    first = desk.intend()
    assert first is not None
    desk.do(batches.not_accepted, first.id, "429", NOW, NOW)
    second = desk.intend()
    assert second is not None
    desk.do(batches.lost, second.id, "no answer")
    desk.do(batches.never_arrived, second.id, "not in the list", NOW)

    assert usage(desk) == (0.0, 0.0, 10.0)
    desk.sweep()
    assert len(claimed(desk)) == 1
    assert open_rows(desk) == [("reserved", 10.0)]


def test_a_task_that_was_dropped_may_have_been_paid_so_it_counts_and_the_next_one_reserves_again(desk: Desk) -> None:
    limit(desk, 15.0)
    take(desk, "a")
    row = desk_submits(desk)

    desk.do(batches.dropped, row.id, BROKEN, NOW)
    desk.sweep()

    assert usage(desk) == (0.0, 10.0, 0.0)
    assert claimed(desk) == [], "what is left of the limit is too little for the second payment"


def test_a_second_payment_without_an_upload_reserves_again(desk: Desk) -> None:
    take(desk, "a")
    row = desk_submits(desk)

    desk.again(row, "RECOGNIZE_FAILED")

    assert usage(desk)[2] == 20.0, "the bill of the first is still to come"
    desk.do(judgements.close_if_judged, row.id, 0.0, NOW)
    assert usage(desk) == (0.0, 0.0, 10.0)


def test_a_second_payment_that_does_not_fit_waits_without_its_object(desk: Desk) -> None:
    limit(desk, 15.0)
    [number] = take(desk, "a")
    row = desk_submits(desk)

    desk.again(row, "RECOGNIZE_FAILED")

    assert desk.recognition(number).state == "needed"
    assert desk.doomed() == {row.items[0].key}
    desk.sweep()
    assert claimed(desk) == []


@pytest.mark.parametrize("end", ["withdrawn", "refused", "refused alone"])
def test_what_will_never_be_sent_gives_its_room_back(desk: Desk, end: str) -> None:
    [number] = take(desk, "a")
    desk.upload()
    if end == "withdrawn":
        desk.do(intake.withdraw, desk.media().id, "it vanished", NOW)
    elif end == "refused":
        desk.do(judgements.refused_before_submit, number, BROKEN, NOW)
    else:
        row = desk.intend()
        assert row is not None
        desk.do(batches.refused_alone, row.id, row.items[0], BROKEN, NOW)

    assert usage(desk) == (0.0, 0.0, 0.0)


def test_a_file_that_a_task_refused_counts_until_its_bill_comes(desk: Desk) -> None:
    [number] = take(desk, "a")
    row = desk_submits(desk)

    desk.do(judgements.refused, row.id, number, BROKEN, NOW)
    assert usage(desk) == (0.0, 0.0, 10.0)
    desk.do(judgements.close_if_judged, row.id, 0.0, NOW)

    assert usage(desk) == (0.0, 0.0, 0.0)


def test_what_was_held_goes_on_oldest_first_when_there_is_room(desk: Desk) -> None:
    limit(desk, 5.0)
    [first, second, third] = [take(desk, name)[0] for name in ("a", "b", "c")]
    assert claimed(desk) == []
    assert desk.do(spending.may_promote) is False

    limit(desk, 20.0)
    assert desk.do(spending.may_promote) is True
    assert desk.do(spending.promote) is True

    assert claimed(desk) == [first, second]
    limit(desk, None)
    desk.do(spending.promote)
    assert claimed(desk) == [third]


def test_what_fits_into_no_window_is_told_apart(desk: Desk) -> None:
    limit(desk, 15.0)
    take(desk, "a", "b")
    take(desk, "epic", seconds=100.0)
    desk.claim()

    held = desk.do(spending.held)

    assert (held.files, held.longer_files) == (1, 1)
    assert held.longer_reason is not None and "is raised" in held.longer_reason


def test_what_was_spent_before_the_window_is_not_held_against_it(desk: Desk) -> None:
    take(desk, "a")
    row = desk_submits(desk)
    desk.answer(row)
    desk.do(judgements.close_if_judged, row.id, 10.0, NOW)
    [number] = take(desk, "b")

    limit(desk, 15.0, since=NOW - 3600)
    assert claimed(desk) == []
    limit(desk, 15.0, since=NOW + 3600)
    desk.do(spending.promote)

    assert claimed(desk) == [number]


def test_a_task_that_was_paid_twice_is_counted_twice(desk: Desk) -> None:
    row = desk.lost("a")
    desk.do(batches.accepted, row.id, "task-1", None, NOW)
    desk.do(tasklist.paid_twice, row.id, ["task-2"])

    billed, guessed, reserved = usage(desk)

    assert (billed, guessed) == (0.0, reserved)


def test_a_task_that_came_late_is_counted_once_beside_the_one_that_took_its_place(desk: Desk) -> None:
    take(desk, "a")
    desk.upload()
    row = desk.intend()
    assert row is not None
    desk.do(batches.lost, row.id, "no answer")
    desk.do(batches.never_arrived, row.id, "not in the list", NOW)

    for _ in range(2):
        desk.do(tasklist.came_late, [row.items[0].key], "task-late", True)

    assert usage(desk) == (0.0, 10.0, 10.0)


def test_what_a_forgotten_file_cost_still_counts(desk: Desk) -> None:
    take(desk, "a", "b")
    row = desk_submits(desk)
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    desk.sweep()
    media_id = desk.media(b"a.mp3").id
    desk.fail(media_id)

    desk.do(forgetting.forget_files, [media_id])

    assert usage(desk) == (0.0, 0.0, 20.0)
    desk.answer(desk.batch(row.id))
    desk.do(judgements.close_if_judged, row.id, 12.0, NOW)
    assert usage(desk) == (12.0, 0.0, 0.0)


def test_a_batch_of_a_ledger_that_knew_no_reservations_is_counted_all_the_same(desk: Desk) -> None:
    take(desk, "a")
    desk.upload()
    desk.sql("DELETE FROM reservation")

    row = desk.intend()

    assert row is not None and usage(desk)[2] == 10.0
    desk.do(batches.accepted, row.id, "task-1", None, NOW)
    desk.answer(desk.batch(row.id))
    desk.do(judgements.close_if_judged, row.id, 8.0, NOW)
    assert usage(desk) == (8.0, 0.0, 0.0)


def test_a_claim_asks_the_ledger_as_often_for_sixteen_files_as_for_one(desk: Desk) -> None:
    statements: list[str] = []
    event.listen(desk.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for names in (["one"], [f"f{n}" for n in range(16)]):
        take(desk, *names)
        statements.clear()
        desk.claim(16)
        counts.append(len(statements))

    assert counts[0] == counts[1]
