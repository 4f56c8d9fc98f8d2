"""What `plan` and the metrics ask."""

from dropscribe.ledger import deliveries, judgements, quotes
from dropscribe.ledger.figures import figures, something_due
from ledger.desk import BROKEN, NOW, Desk, file, sha256


def content(name: str, settings: str = "{}") -> tuple[str, str, str, str]:
    return (sha256(name), "fun-asr", settings, "as-is")


def test_paid_is_what_was_submitted_or_is_answered_with_the_same_settings(desk: Desk) -> None:
    desk.take_contents("answered")
    desk.answer_all()
    desk.submitted("submitted", task_id="task-9")
    desk.take_contents("needed")
    asked = [content(name) for name in ("answered", "submitted", "needed", "unknown")]

    assert desk.do(quotes.paid, asked) == {content("answered"), content("submitted")}
    assert desk.do(quotes.paid, [content("answered", '{"channel_id":[1]}')]) == set()


def test_unpaid_is_what_waits_and_was_not_submitted(desk: Desk) -> None:
    desk.submitted("submitted")
    desk.take(file(b"needed.mp3", "needed"), file(b"copy.mp3", "needed"))
    desk.take(file(b"other.mp3", "other"), inbox="other")

    found = list(desk.do(lambda connection: list(quotes.unpaid(connection, "in"))))

    assert [(one.path, one.content) for one in found] == [
        (b"needed.mp3", content("needed")),
        (b"copy.mp3", content("needed")),
    ]


def test_figures_count_files_once_and_tell_the_oldest(desk: Desk) -> None:
    desk.take_contents("a")
    desk.answer_all()
    desk.deliver(desk.owed()[0].media_id)
    desk.now += 10
    desk.submitted("b", task_id="task-2")
    desk.take_contents("c")

    found = desk.do(figures)

    assert found.media == {"delivered": 1, "waiting": 2, "failed": 0}
    assert found.waiting == {"submitted": 1, "needed": 1}
    assert (found.oldest, found.unfinished_bytes) == (NOW + 10, 10)
    assert found.batches["submitted"] == 2, "no batch of these was closed"


def test_something_is_due_until_it_lies_with_the_service_or_is_held(desk: Desk) -> None:
    assert desk.do(something_due, NOW) is False
    desk.take_contents("a")
    assert desk.do(something_due, NOW) is True

    desk.bring_to("submitted")
    assert desk.do(something_due, NOW) is False
    desk.bring_to("answered")
    assert desk.do(something_due, NOW) is True


def test_a_failed_file_that_was_tried_again_is_no_failed_file_any_more(desk: Desk) -> None:
    desk.take_contents("a")
    desk.do(judgements.refused_before_submit, desk.recognition_of(b"a.mp3").id, BROKEN, desk.now)
    desk.do(deliveries.failed, [(desk.owed()[0].media_id, None)], desk.now)
    before = desk.do(figures).media["failed"]

    desk.take_contents("a")

    assert (before, desk.do(figures).media["failed"]) == (1, 0)
