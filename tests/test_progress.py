"""How far, how fast, how long still: figures that a person can plan by."""

import pytest

from dropscribe.ledger.tallies import Tally
from dropscribe.model import Scope
from dropscribe.progress import Progress, details, ending, headline, size, span, troubles

HALF = Tally(
    files=10, size=10_000, delivered=4, failed=1, finished_size=5000, uploaded_size=5000, tasks=2, tasks_open=1
)


@pytest.mark.parametrize(
    ("tally", "done"),
    [
        (Tally(), 0.0),
        (Tally(files=2, size=100), 0.0),
        (Tally(files=2, size=100, uploaded_size=100), 0.5),
        (HALF, 0.5),
        (Tally(files=2, size=100, uploaded_size=100, delivered=1, failed=1), 1.0),
        (Tally(files=1, size=0), 0.5),
    ],
)
def test_half_of_the_way_is_the_upload(tally: Tally, done: float) -> None:
    assert Progress(tally, 10.0).done == done


def test_the_rest_takes_as_long_as_what_is_done_took() -> None:
    assert Progress(HALF, 60.0).remaining == 60.0


@pytest.mark.parametrize("progress", [Progress(Tally(), 60.0), Progress(HALF, 1.0)])
def test_nothing_is_said_about_the_rest_while_there_is_too_little_to_tell_by(progress: Progress) -> None:
    assert progress.remaining is None
    assert "left" not in headline(progress)


def test_the_two_lines_have_files_failures_rest_bytes_tasks_and_rate() -> None:
    progress = Progress(HALF, 60.0)
    assert headline(progress) == "5 of 10 files, 1 failed, about 60 s left"
    assert details(progress) == "5.0 KB of 10.0 KB uploaded, 1 of 2 tasks done, 5 files/min"


def test_one_is_no_plural() -> None:
    one = Progress(Tally(files=1, size=999, tasks=1, tasks_open=1), 1.0)
    assert headline(one) == "0 of 1 file"
    assert details(one) == "0 bytes of 999 bytes uploaded, 0 of 1 task done"


def test_while_something_is_out_of_order_nobody_knows_the_rest() -> None:
    shut = Scope("submits", "Arrearage", "the bill is open.", "Settle it.", 0.0, 0.0)
    away = Scope("folder:/srv/private", "FolderMissing", "it is gone.", "Mount it.", 0.0, 0.0)

    said = headline(Progress(HALF, 60.0, (shut, away)))

    assert said == "5 of 10 files, 1 failed, held up by submits, folder"


def test_the_time_in_which_nothing_could_be_done_makes_the_rest_no_longer() -> None:
    assert Progress(HALF, 660.0, held=600.0).remaining == 60.0


def test_the_longest_lines_fit_80_columns() -> None:
    huge = Tally(100_000, 999_900_000_000, 54_321, 1_234, 1, 555_500_000_000, 1_000, 500)
    progress = Progress(huge, 100_000.0)
    assert len(headline(progress)) < 80 - 20
    assert len(details(progress)) < 80


def test_before_the_first_file_is_taken_it_says_what_it_waits_for() -> None:
    assert headline(Progress(Tally(), 0.0)) == "waiting until the files in the inboxes have settled"


def test_what_holds_it_up_is_said_with_its_remedy() -> None:
    scope = Scope("storage", "AccessDenied", "the bucket is denied.", "Allow it.", 0.0, 0.0)
    assert troubles([scope]) == ["waiting for storage: the bucket is denied. Allow it."]


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally(files=3, delivered=3), "3 delivered, 0 failed in 61 s"),
        (HALF, "4 delivered, 1 failed, 5 still wait in 61 s (`dropscribe status` says why)"),
    ],
)
def test_the_end_says_what_became_of_the_files(tally: Tally, said: str) -> None:
    assert ending(Progress(tally, 61.0)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (4800, "80 min"), (9000, "2 h 30 min")],
)
def test_spans_are_as_exact_as_a_guess_may_be(seconds: float, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(("count", "said"), [(999, "999 bytes"), (1000, "1.0 KB"), (2_340_000_000, "2.3 GB")])
def test_sizes_have_a_unit(count: int, said: str) -> None:
    assert size(count) == said
