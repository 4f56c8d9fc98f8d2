"""Which error files tell of what is no more."""

import pytest

from dropscribe.ledger import intake, reasons
from dropscribe.model import Look
from ledger.desk import BROKEN, NOW, Desk, file

REASON = b"/failed/a.mp3.error.json"
OTHER = b"/failed/a~2.mp3.error.json"


def failed(desk: Desk, reason: bytes = REASON, path: bytes = b"a.mp3") -> int:
    """A version of a file that failed; its id."""
    desk.do(intake.take_failed, "in", path, Look(5, 1, 7), BROKEN, NOW)
    media_id: int = desk.media(path).id
    desk.fail(media_id, reason)
    return media_id


def stale(desk: Desk) -> list[tuple[int, bytes]]:
    found = desk.do(reasons.stale, "in", [b"a.mp3", b"b.mp3"])
    return [(one.media.media_id, one.path) for one in found]


def test_the_reason_of_a_file_that_was_not_taken_again_is_not_stale(desk: Desk) -> None:
    failed(desk)
    desk.take(file(b"b.mp3"))

    assert stale(desk) == []
    assert desk.do(reasons.taken_again, "in") == []


def test_the_reasons_of_all_versions_but_the_last_are_stale(desk: Desk) -> None:
    first, second = failed(desk), failed(desk, OTHER)
    desk.take()

    assert stale(desk) == [(second, OTHER), (first, REASON)]
    assert desk.do(reasons.taken_again, "in") == [b"a.mp3"]
    assert desk.do(reasons.taken_again, "other") == []


def test_a_reason_in_whose_place_a_later_version_has_its_own_is_not_stale(desk: Desk) -> None:
    failed(desk)
    failed(desk)

    assert stale(desk) == []


def test_a_stale_reason_knows_all_that_its_error_file_says(desk: Desk) -> None:
    failed(desk)
    desk.take()

    (one,) = desk.do(reasons.stale, "in", [b"a.mp3"])

    said = (one.media.code, one.media.message, one.media.remedy, one.media.request_id, one.media.task_id)
    assert said == (BROKEN.code, BROKEN.message, BROKEN.remedy, BROKEN.request_id, BROKEN.task_id)
    assert (one.media.attempts, one.failed_at, one.media.moved_to) == (BROKEN.attempts, NOW, b"/failed/a.mp3")


@pytest.mark.parametrize("versions", [1, 2])
def test_what_is_gone_is_not_stale_any_more_though_several_versions_had_it(desk: Desk, versions: int) -> None:
    ids = [failed(desk) for _ in range(versions)]
    desk.take()
    found = desk.do(reasons.stale, "in", [b"a.mp3"])
    assert [one.media.media_id for one in found] == ids[-1:]

    desk.do(reasons.gone, found)

    assert stale(desk) == []
    assert desk.do(reasons.taken_again, "in") == []
    assert desk.sql("SELECT count(*) FROM media WHERE error_file IS NOT NULL")[0] == (0,)


def test_a_later_version_keeps_its_reason_when_an_earlier_one_is_gone(desk: Desk) -> None:
    failed(desk)
    failed(desk, OTHER)

    desk.do(reasons.gone, desk.do(reasons.stale, "in", [b"a.mp3"]))

    assert desk.media().error_file == OTHER
