"""What people and programs are told of a file: pure."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropscribe.allowance import Balance, Limit
from dropscribe.config.settings import InboxSettings
from dropscribe.file_state import Situation, reason_of, since_of, state_of
from dropscribe.ledger.stories import FileRow, Payment
from dropscribe.model import Scope
from dropscribe.story import (
    Alarm,
    DaemonView,
    FileView,
    InboxView,
    Spending,
    Status,
    alarms_of,
    inbox_view,
    notes_of,
    settling,
    still_lies,
    view_of,
)
from dropscribe.story_json import to_json
from dropscribe.story_text import Tale, overview, source_text, tell
from examples import inbox_settings

NOW = 1_795_000_000.0
RUNNING = Situation(running=True, account="me", scopes=(), now=NOW)


def row(**changes: Any) -> FileRow:
    """A file that waits for its upload."""
    plain: dict[str, Any] = dict.fromkeys(FileRow.__slots__)
    plain |= {"media_id": 1, "inbox": "talks", "path": b"a/talk.mp3", "size": 1_500_000, "state": "waiting"}
    plain |= {"recognition_id": 7, "recognition_state": "needed", "model": "fun-asr", "attempts": 0}
    plain |= {"taken_at": NOW - 100, "wait_until": 0.0, "recognition_wait_until": 0.0}
    return FileRow(**(plain | changes))


def inbox(name: str = "talks", **changes: Any) -> InboxSettings:
    return inbox_settings(Path("/srv") / name, name=name, watch="auto", **changes)


def scope(name: str) -> Scope:
    return Scope(name, "Code", f"{name} is out of order", "mend it", NOW - 50, NOW + 50)


@pytest.mark.parametrize(
    ("media", "recognition", "state"),
    [
        ("waiting", "needed", "waiting"),
        ("waiting", "uploading", "uploading"),
        ("waiting", "uploaded", "uploaded"),
        ("waiting", "submitting", "uploaded"),
        ("waiting", "submitted", "submitted"),
        ("waiting", "answered", "answered"),
        ("due", "answered", "answered"),
        ("delivering", "answered", "answered"),
        ("delivered", "forgotten", "delivered"),
        ("failing", "refused", "failed"),
        ("failed", "refused", "failed"),
        ("failed", None, "failed"),
        ("withdrawn", "abandoned", "withdrawn"),
    ],
)
def test_two_machines_are_told_as_one_state(media: str, recognition: str | None, state: str) -> None:
    assert state_of(row(state=media, recognition_state=recognition)) == state


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "storage"),
        ({"recognition_state": "uploading"}, "storage"),
        ({"recognition_state": "uploaded"}, "api"),
        ({"recognition_state": "uploaded"}, "tasks"),
        ({"recognition_state": "uploaded"}, "model:fun-asr"),
        ({"recognition_state": "submitted"}, "queries"),
        ({"state": "due"}, "folder:/srv/talks/outbox"),
    ],
)
def test_a_file_that_waits_for_a_fault_names_it(changes: dict[str, Any], name: str) -> None:
    said = reason_of(row(**changes), ["/srv/talks/outbox"], replace(RUNNING, scopes=(scope(name),)))
    assert said is not None
    assert said.lower().startswith(f"it waits: {name} is out of order")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "api"),
        ({"recognition_state": "submitted"}, "storage"),
        ({"recognition_state": "submitted"}, "model:fun-asr"),
        ({"state": "due"}, "api"),
        ({"state": "due"}, "folder:/srv/other/outbox"),
    ],
)
def test_a_fault_that_does_not_concern_it_is_no_reason(changes: dict[str, Any], name: str) -> None:
    said = reason_of(row(**changes), ["/srv/talks/outbox"], replace(RUNNING, scopes=(scope(name),)))
    assert said is not None
    assert "out of order" not in said


def test_a_file_that_is_tried_again_says_when_and_why() -> None:
    tried = row(recognition_wait_until=NOW + 60, recognition_message="the upload was cut")
    said = reason_of(tried, (), RUNNING)
    assert said is not None
    assert said.startswith("It is tried again ")
    assert said.endswith(": The upload was cut.")


def test_a_task_that_the_key_of_another_account_hides_says_so() -> None:
    theirs = row(recognition_state="submitted", account="somebody else")
    hidden = replace(RUNNING, scopes=(Scope("account", "OtherAccount", "hidden", "", 0.0, 0.0),))
    assert "another account" in (reason_of(theirs, (), hidden) or "")
    assert "another account" not in (reason_of(replace(theirs, account="me"), (), hidden) or "")


def test_a_task_that_another_key_of_the_account_submitted_is_as_good_as_ones_own() -> None:
    theirs = row(recognition_state="submitted", account="somebody else")
    assert reason_of(theirs, (), RUNNING) == "The service works on it."


def test_what_was_paid_twice_and_what_an_account_cannot_do_is_noted() -> None:
    notes = list(notes_of({"one-url https://api me fun-asr": 1_795_000_000.0}, [(7, ["t1", "t2"])]))
    assert [note.partition(";")[0] for note in notes] == [
        "paid twice: batch 7 has further tasks: t1, t2",
        "fun-asr: the account takes one file a task",
    ]


def test_without_a_daemon_nothing_is_said_to_be_under_way() -> None:
    said = reason_of(row(recognition_state="uploading"), (), replace(RUNNING, running=False))
    assert said == "It goes on when the daemon runs."


def test_a_failing_file_says_that_its_error_file_is_still_owed() -> None:
    said = reason_of(row(state="failing", message="it is no sound"), (), RUNNING)
    assert said == "It is no sound. Its error file is being written."


def test_a_delivered_file_has_a_reason_only_where_there_is_one() -> None:
    assert reason_of(row(state="delivered"), (), RUNNING) is None
    assert (
        reason_of(row(state="delivered", reason="the source had vanished"), (), RUNNING) == "The source had vanished."
    )


def test_a_file_that_joined_late_is_in_its_state_since_it_was_taken() -> None:
    joined = row(recognition_state="submitted", submitted_at=NOW - 500, taken_at=NOW - 100)
    assert since_of(joined) == NOW - 100
    assert since_of(replace(joined, submitted_at=NOW - 20)) == NOW - 20


def test_outputs_that_are_only_reserved_are_not_told() -> None:
    assert view_of(row(state="delivering"), [b"/out/talk.srt"], (), RUNNING).outputs == ()
    assert view_of(row(state="delivered"), [b"/out/talk.srt"], (), RUNNING).outputs == ("/out/talk.srt",)


def test_a_settling_file_says_what_it_waits_for() -> None:
    assert settling(inbox(), b"a.mp3", running=True).reason == "It waits until it is unchanged for 5 s."
    assert "when the daemon runs" in (settling(inbox(), b"a.mp3", running=False).reason or "")


@pytest.mark.parametrize("name", ["adopting:talks", "folder:/srv/talks/outbox"])
def test_a_file_of_a_library_that_may_have_been_paid_before_says_what_it_waits_for(name: str) -> None:
    scope = Scope(name, "EACCES", "its transcript cannot be read", "remedy", 0.0, 0.0)
    library = replace(inbox(), done="keep")

    assert "paid before, it waits longer: its transcript" in (settling(library, b"a.mp3", True, [scope]).reason or "")
    assert settling(inbox(), b"a.mp3", True, [scope]) == settling(inbox(), b"a.mp3", True)


def test_a_failed_file_lies_there_while_its_source_or_its_error_file_does() -> None:
    failed = row(state="failed", moved_to=b"/f/a.mp3", error_file=b"/f/a.mp3.error.json")
    assert still_lies(failed, {b"/f/a.mp3"}.__contains__)
    assert still_lies(failed, {b"/f/a.mp3.error.json"}.__contains__)
    assert not still_lies(failed, set[bytes]().__contains__)


@pytest.mark.parametrize(
    ("name", "mine", "others"),
    [
        ("api", True, True),
        ("storage", True, True),
        ("folder:/srv/talks/done", True, False),
        ("deliver:talks", True, False),
        ("adopting:talks", True, False),
        ("model:fun-asr", True, False),
        ("folder:/srv/of-nobody", True, True),
    ],
)
def test_an_alarm_stands_at_the_inboxes_it_concerns(name: str, mine: bool, others: bool) -> None:
    both = [inbox(), inbox("calls", model="fun-asr-mtl")]
    alarm = Alarm(name, "Code", "message", "remedy")
    assert bool(alarms_of(both[0], both, [alarm])) is mine
    assert bool(alarms_of(both[1], both, [alarm])) is others


def test_every_file_is_counted_once() -> None:
    every = ("settling", "ignored", "waiting", "uploading", "uploaded", "submitted", "answered", "failed")
    files = [FileView("talks", state, state) for state in every] + [FileView("calls", "x", "failed")]  # type: ignore[arg-type]
    seen = inbox_view("talks", b"/srv/talks/inbox", files, 3, ())
    assert (seen.waiting, seen.in_flight, seen.failed, seen.ignored, seen.delivered) == (4, 2, 1, 1, 3)
    assert seen.waiting + seen.in_flight + seen.failed + seen.ignored == len(every)


def status(*files: FileView, alarms: tuple[Alarm, ...] = ()) -> Status:
    boxes = (InboxView("talks", "/t", 0, 0, 0, 0, alarms), InboxView("calls", "/c", 0, 0, 0, 0, alarms))
    return Status(DaemonView(False), boxes, files)


def test_programs_get_exactly_the_keys_that_are_promised() -> None:
    said = to_json(status(FileView("talks", "a.mp3", "waiting"), alarms=(Alarm("api", "C", "m", "r"),)))
    assert set(said) == {"daemon", "inboxes", "files", "spending", "notices", "notes"}
    assert set(said["daemon"]) == {"running", "pid", "account", "since"}
    assert set(said["inboxes"][0]) == {"name", "inbox", "waiting", "in_flight", "delivered", "failed", "alarms"}
    keys = {"inbox", "path", "state", "reason", "code", "attempts", "task_id", "since", "outputs"}
    assert set(said["files"][0]) == keys


def test_an_alarm_of_all_inboxes_is_said_once() -> None:
    lines = list(overview(status(alarms=(Alarm("api", "Denied", "no", "mend it"),))))
    assert [line for line in lines if "Denied" in line] == ["! api: Denied: no"]


def test_many_files_of_one_state_are_counted_not_listed() -> None:
    lines = list(overview(status(*(FileView("talks", f"{n:04}.mp3", "waiting", "It waits.") for n in range(500)))))
    assert len(lines) < 30
    assert "and 480 more" in lines[-1]


def test_a_reason_that_is_its_code_is_said_once() -> None:
    lines = list(overview(status(FileView("talks", "a.mp3", "failed", "DECODE_ERROR.", "DECODE_ERROR"))))
    assert lines[-1].endswith("a.mp3  DECODE_ERROR.")


def test_the_story_of_a_file_is_told_in_a_few_lines() -> None:
    done = row(
        state="delivered",
        sha256="ab" * 32,
        recognition_state="answered",
        ready_at=NOW - 90,
        answered_at=NOW - 10,
        finished_at=NOW,
        moved_to=b"/d/talk.mp3",
    )
    payment = Payment("task-1", "done", 3, NOW - 80, NOW - 79, 61.0, (), "answered")
    view = view_of(done, [b"/o/talk.srt"], (), RUNNING)

    lines = list(tell(Tale(view, done, (b"/o/talk.srt",), "/d/talk.mp3", (payment,))))

    assert [line[2:9].strip() for line in lines[1:]] == ["taken", "heard", "outputs", "source"]
    assert "1.5 MB, sha256 abababababab" in lines[1]
    assert "task task-1, 61 s billed for all 3" in lines[2]


@pytest.mark.parametrize(
    ("changes", "exists", "kept", "said"),
    [
        ({}, False, False, "/in/a/talk.mp3"),
        ({"state": "delivered", "moved_to": b"/d/x"}, True, False, "/d/x"),
        ({"state": "delivered", "moved_to": b"/d/x"}, False, False, "not at /d/x any more"),
        ({"state": "delivered", "moved_to": b"/d/x", "reason": "vanished"}, False, False, "it never came to /d/x"),
        ({"state": "delivered"}, False, False, "deleted after its delivery"),
        ({"state": "delivered"}, False, True, "/in/a/talk.mp3"),
        ({"state": "failed"}, False, True, "/in/a/talk.mp3"),
    ],
)
def test_where_the_source_is(changes: dict[str, Any], exists: bool, kept: bool, said: str) -> None:
    assert source_text(row(**changes), Path("/in"), exists, kept) == said


SPENDING = Spending(
    today=3600.0,
    this_month=7200.0,
    guessed_this_month=60.0,
    reserved=90.0,
    held=5400.0,
    held_files=2,
    day_limit=18000.0,
    month_limit=None,
)


def test_what_was_spent_is_told_in_hours_against_the_limits() -> None:
    told = Status(DaemonView(True), (), (), SPENDING, (3, NOW))

    said = "\n".join(overview(told))
    assert "1.0 h of 5.0 h today, 2.0 h this month; 1.5 min reserved" in said
    assert "1.0 min are taken for billed" in said
    assert "2 recordings of 1.5 h for the limits" in said
    assert "3 wait to be taken" in said
    assert to_json(told)["spending"] == {
        "today_hours": 1.0,
        "this_month_hours": 2.0,
        "guessed_this_month_hours": 0.0167,
        "reserved_hours": 0.025,
        "held_hours": 1.5,
        "held_files": 2,
        "day_limit_hours": 5.0,
        "month_limit_hours": None,
    }


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (14400.0, "Its 2.0 h (guessed by its size) do not fit into what is left of the day's 5.0 h"),
        (0.0, "There is room for it again."),
    ],
)
def test_a_file_that_waits_for_the_limits_says_for_which(used: float, said: str) -> None:
    held = row(held_seconds=7200.0, held_guessed=True)
    day = Balance(Limit("day", 18000.0, 0.0), used)

    told = reason_of(held, (), replace(RUNNING, balances=(day,)))

    assert told is not None and told.startswith("It waits for the limits: ") and said in told
