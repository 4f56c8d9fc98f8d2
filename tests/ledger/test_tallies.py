"""The numbers of the status line and of the progress bar."""

from dropscribe.ledger import batches, tallies
from ledger.desk import NOW, Desk, file


def test_an_empty_ledger_has_no_work(desk: Desk) -> None:
    assert desk.do(tallies.work).files == 0
    assert desk.do(tallies.tally, NOW) == tallies.Tally()


def test_each_file_is_counted_at_the_step_it_waits_for(desk: Desk) -> None:
    desk.answer(desk.submitted("answered"))
    desk.submitted("submitted", task_id="task-2")
    desk.take_contents("uploaded")
    desk.upload()
    desk.take_contents("new", "newer")
    work = desk.do(tallies.work)
    assert (work.to_upload, work.to_submit, work.at_service, work.to_deliver) == (2, 1, 1, 1)
    assert work.files == 5


def test_any_step_forward_changes_the_work(desk: Desk) -> None:
    def accept() -> None:
        (row,) = desk.do(batches.open_batches, "intended")
        desk.do(batches.accepted, row.id, "task", "request", NOW)

    seen = [desk.do(tallies.work)]
    for step in (lambda: desk.take_contents("a"), desk.upload, desk.intend, accept):
        step()
        seen.append(desk.do(tallies.work))
    assert len(set(seen)) == len(seen)


def test_finished_files_count_only_where_they_were_finished_since(desk: Desk) -> None:
    desk.answer(desk.submitted("old"))
    media = desk.media(b"old.mp3").id
    desk.reserve(media, b"/out/old.json")
    desk.deliver(media)
    desk.take(file(b"new.mp3", "new", size=70))
    finished_at = desk.media(b"old.mp3").finished_at
    now = desk.do(tallies.tally, finished_at)
    assert (now.delivered, now.files, now.size, now.finished_size) == (1, 2, 75, 5)
    later = desk.do(tallies.tally, finished_at + 1)
    assert (later.delivered, later.files, later.size, later.uploaded_size) == (0, 1, 70, 0)


def test_what_is_past_its_upload_counts_as_uploaded(desk: Desk) -> None:
    desk.submitted("a", "b")
    desk.take_contents("c")
    tally = desk.do(tallies.tally, NOW)
    assert (tally.size, tally.uploaded_size, tally.tasks, tally.tasks_open) == (15, 10, 1, 1)


def test_unfinished_files_of_an_inbox_that_is_not_configured_are_counted(desk: Desk) -> None:
    desk.take(file(b"a.mp3", "a"), file(b"b.mp3", "b"))

    assert desk.do(tallies.orphans, ["in"]) == {}
    assert desk.do(tallies.orphans, ["another"]) == {"in": 2}
