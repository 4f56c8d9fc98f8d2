"""What the ledger and the inboxes say of each file, as people and programs see it: pure.

rows and scopes of the ledger, entries of a scan -> views -> JSON for programs, or lines for people (story_text)
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from dropscribe.allowance import Balance, obstacle
from dropscribe.config.settings import InboxSettings
from dropscribe.error_file import without_urls
from dropscribe.ledger.stories import FileRow
from dropscribe.model import (
    ACCOUNT,
    API,
    DOWNLOADS,
    QUERIES,
    RESULTS,
    STORAGE,
    SUBMITS,
    TASKS,
    UPLOADS,
    RecognitionState,
    Scope,
)
from dropscribe.names import display
from dropscribe.packing import recipe_label
from dropscribe.scan import Ignored

FileState = Literal[
    "settling",
    "ignored",
    "waiting",
    "uploading",
    "uploaded",
    "submitted",
    "answered",
    "delivered",
    "failed",
    "withdrawn",
]
WAITING: frozenset[FileState] = frozenset({"settling", "waiting", "uploading", "uploaded"})
IN_FLIGHT: frozenset[FileState] = frozenset({"submitted", "answered"})

_OF_RECOGNITION: Mapping[RecognitionState, FileState] = {
    "needed": "waiting",
    "uploading": "uploading",
    "uploaded": "uploaded",
    "submitting": "uploaded",
    "submitted": "submitted",
    "answered": "answered",
}
_GLOBAL_NEEDS: Mapping[FileState, tuple[str, ...]] = {
    "waiting": (STORAGE, DOWNLOADS, UPLOADS),
    "uploading": (STORAGE, UPLOADS),
    "uploaded": (API, SUBMITS, TASKS, "start", DOWNLOADS, STORAGE),
    "submitted": (QUERIES, RESULTS, API),
}
_ORDINARY: Mapping[FileState, str] = {
    "waiting": "It waits for its upload.",
    "uploading": "It is being uploaded.",
    "uploaded": "It waits for its batch.",
    "submitted": "The service works on it.",
    "answered": "It is recognised; its outputs are being written.",
}

_ORPHANED = (
    "Its inbox is not in the configuration any more: a daemon that knew it finishes it as it began, one that starts "
    "without it leaves it until the inbox is configured again, or `dropscribe forget --unfinished` gives it up."
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something out of order that concerns an inbox; `since` is None where this very look found it."""

    scope: str
    code: str
    message: str
    remedy: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class DaemonView:
    """`pid` and `since` are None where none runs; `account` is a fingerprint of the key that was used last."""

    running: bool
    pid: int | None = None
    account: str | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a file may be waiting for: a daemon, the right account, the end of a fault, a moment, room in the limits."""

    running: bool
    account: str | None
    scopes: tuple[Scope, ...]
    now: float
    balances: tuple[Balance, ...] = ()


@dataclass(frozen=True, slots=True)
class FileView:
    """One file; `path` is within the inbox, `since` when it came into this state, None where nobody noted it."""

    inbox: str
    path: str
    state: FileState
    reason: str | None = None
    code: str | None = None
    attempts: int = 0
    task_id: str | None = None
    since: float | None = None
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxView:
    """One inbox. `waiting` is all that is neither ignored nor submitted yet, also what has not settled; `in_flight` is
    submitted and not delivered yet; `delivered` counts files, not their versions; `failed` what still lies there.
    """

    name: str
    inbox: str
    waiting: int
    in_flight: int
    delivered: int
    failed: int
    alarms: tuple[Alarm, ...]
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Spending:
    """Seconds of billed sound. `guessed` is that part of what was spent of which the service did not say what it
    billed; limits are None where there are none.
    """

    today: float
    this_month: float
    guessed_this_month: float
    reserved: float
    held: float
    held_files: int
    day_limit: float | None
    month_limit: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """All that `dropscribe status` tells. `notices`: how many wait, and since when the oldest does."""

    daemon: DaemonView
    inboxes: tuple[InboxView, ...]
    files: tuple[FileView, ...]
    spending: Spending | None = None
    notices: tuple[int, float | None] = (0, None)
    notes: tuple[str, ...] = ()
    """What a person should know though nothing waits for it: money that was paid twice, what an account cannot."""


def notes_of(lessons: Mapping[str, float], doubled: Iterable[tuple[int, Sequence[str]]]) -> Iterator[str]:
    """`lessons` as `one-url ENDPOINT ACCOUNT MODEL` with the moment until which they hold; `doubled` are batches with
    the further tasks that were paid for them.
    """
    for batch_id, tasks in doubled:
        yield f"paid twice: batch {batch_id} has further tasks: {', '.join(tasks)}; compare with the bill"
    for name, until in lessons.items():
        words = name.split(" ")
        if words[0] == "one-url" and len(words) == 4:
            yield f"{words[3]}: the account takes one file a task; tried again with more after {moment(until)}"


def state_of(row: FileRow) -> FileState:
    """The state that people see."""
    match row.state:
        case "waiting":
            return _OF_RECOGNITION.get(row.recognition_state or "needed", "waiting")
        case "due" | "delivering":
            return "answered"
        case "failing":
            return "failed"
    return row.state


def since_of(row: FileRow) -> float:
    """When the file came into its state; where it joined a recognition that was further, when it was taken."""
    match state_of(row):
        case "delivered" | "failed" | "withdrawn":
            found = row.finished_at
        case "uploaded":
            found = row.ready_at
        case "submitted":
            found = row.submitted_at
        case "answered":
            found = row.answered_at
        case _:
            found = None
    return max(row.taken_at, found or 0.0)


def reason_of(row: FileRow, folders: Sequence[str] | None, situation: Situation) -> str | None:
    """Why the file is where it is, as a sentence; None for a delivered file of which there is nothing to say.

    `folders` are those of its inbox, None where that is not in the configuration any more.
    """
    state = state_of(row)
    if state in ("delivered", "withdrawn"):
        return row.reason and _sentence(row.reason)
    if state == "failed":
        return _failure(row)
    if folders is None:
        return _ORPHANED
    trouble = _trouble(row, state, folders, situation) or _foreign(row, state, situation)
    if trouble or situation.running:
        return trouble or _ORDINARY[state]
    return "It goes on when the daemon runs."


def _failure(row: FileRow) -> str:
    said = _sentence(row.message or row.code or "it failed")
    if row.state == "failing":
        return f"{said} Its error file is being written."
    return f"{said} {_sentence(row.reason)}" if row.reason else said


def _trouble(row: FileRow, state: FileState, folders: Sequence[str], situation: Situation) -> str | None:
    if state == "answered":
        needs = [f"{what}:{folder}" for folder in folders for what in ("folder", "moving")] + [f"deliver:{row.inbox}"]
    else:
        needs = [*_GLOBAL_NEEDS[state], *([f"model:{row.model}"] if state == "uploaded" else [])]
    own_recipe = (f"recipe:{row.model}", f"files:{row.model}") if state == "uploaded" else ()
    for scope in situation.scopes:
        if scope.name in needs or scope.name.startswith(own_recipe):
            return f"It waits: {_sentence(scope.message)}"
    if state == "answered" and row.wait_until > situation.now and row.reason:
        return f"It waits: {_sentence(row.reason)}"
    if row.held_seconds is not None and state == "waiting":
        why = obstacle(row.held_seconds, situation.balances, row.held_guessed) or "there is room for it again"
        return f"It waits for the limits: {_sentence(why)}"
    if row.batch_state == "lost":
        return "The answer to its submit was lost; the task list decides before anything is sent again."
    if row.recognition_wait_until > situation.now and row.recognition_message:
        return f"It is tried again {moment(row.recognition_wait_until)}: {_sentence(row.recognition_message)}"
    return None


def _foreign(row: FileRow, state: FileState, situation: Situation) -> str | None:
    """Only where a daemon has asked in vain: another key of the same account sees the task as well."""
    account = situation.account
    hidden = any(scope.name == ACCOUNT for scope in situation.scopes)
    if hidden and state == "submitted" and account and row.account and row.account != account:
        return "It was submitted by another account; its key is needed to fetch the result."
    return None


def _sentence(text: str) -> str:
    text = without_urls(text).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "。")) else ".")


def view_of(row: FileRow, outputs: Sequence[bytes], folders: Sequence[str] | None, situation: Situation) -> FileView:
    """One row of the ledger; `outputs` count only where they are delivered."""
    state = state_of(row)
    return FileView(
        inbox=row.inbox,
        path=display(row.path),
        state=state,
        reason=reason_of(row, folders, situation),
        code=row.code or (row.recognition_code if row.state == "waiting" else None),
        attempts=row.attempts,
        task_id=row.task_id,
        since=since_of(row),
        outputs=tuple(map(display, outputs)) if state == "delivered" else (),
    )


def ignored(inbox: str, entry: Ignored) -> FileView:
    """An entry of an inbox that stays where it is."""
    return FileView(inbox, display(entry.path), "ignored", entry.sentence, entry.reason)


def settling(inbox: InboxSettings, path: bytes, running: bool, scopes: Iterable[Scope] = ()) -> FileView:
    """A file that lies in an inbox and was not taken yet."""
    still = f"it is unchanged for {inbox.settle:g} s"
    reason = f"It waits until {still}." if running else f"It is taken when the daemon runs and {still}."
    hiding = {f"adopting:{inbox.name}", f"folder:{inbox.outbox}"} if inbox.done == "keep" else ()
    for scope in (scope for scope in scopes if scope.name in hiding):
        reason += f" If it may have been paid before, it waits longer: {scope.message}."
    return FileView(inbox.name, display(path), "settling", reason)


def folders_of(inbox: InboxSettings) -> tuple[str, ...]:
    """The folders that an inbox needs, as scopes name them."""
    found = (inbox.inbox, inbox.outbox, inbox.done, inbox.failed)
    return tuple(dict.fromkeys(os.fspath(folder) for folder in found if not isinstance(folder, str)))


def alarms_of(inbox: InboxSettings, inboxes: Sequence[InboxSettings], scopes: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """What concerns this inbox: its folders, its model, and whatever belongs to no inbox."""
    mine, every = _names(inbox), {name for each in inboxes for name in _names(each)}
    return tuple({alarm.scope: alarm for alarm in scopes if alarm.scope in mine or alarm.scope not in every}.values())


def _names(inbox: InboxSettings) -> set[str]:
    label = recipe_label(inbox.model, inbox.recipe.settings)
    own = {f"{room}:{inbox.name}" for room in ("adopting", "deliver", "obstacle")}
    own |= {f"moving:{inbox.inbox}", f"model:{inbox.model}", f"recipe:{label}", f"files:{label}"}
    return {f"folder:{folder}" for folder in folders_of(inbox)} | own


def alarm_of(scope: Scope) -> Alarm:
    return Alarm(scope.name, scope.code, scope.message, scope.remedy, scope.since)


def still_lies(row: FileRow, exists: Callable[[bytes], bool]) -> bool:
    """Whether a failed file is still there to be seen to: its source in failed/, or its error file."""
    return any(exists(path) for path in (row.error_file, row.moved_to) if path is not None)


def inbox_view(
    name: str, root: bytes, files: Iterable[FileView], delivered: int, alarms: tuple[Alarm, ...]
) -> InboxView:
    """Count what is told of an inbox: `files` are all of it that are not delivered."""
    states = [view.state for view in files if view.inbox == name]
    return InboxView(
        name=name,
        inbox=display(root),
        waiting=sum(state in WAITING for state in states),
        in_flight=sum(state in IN_FLIGHT for state in states),
        delivered=delivered,
        failed=states.count("failed"),
        alarms=alarms,
        ignored=states.count("ignored"),
    )


def to_json(status: Status) -> dict[str, Any]:
    """The shape that programs read; times are UTC, such as `2026-11-20T08:00:00Z`."""
    return {
        "daemon": {
            "running": status.daemon.running,
            "pid": status.daemon.pid,
            "account": status.daemon.account,
            "since": utc(status.daemon.since),
        },
        "inboxes": [_inbox_json(inbox) for inbox in status.inboxes],
        "files": [_file_json(file) for file in status.files],
        "notes": list(status.notes),
        "spending": None if status.spending is None else _spending_json(status.spending),
        "notices": {"waiting": status.notices[0], "since": utc(status.notices[1])},
    }


def _spending_json(spending: Spending) -> dict[str, Any]:
    """In hours, as the limits are written."""
    seconds = asdict(spending)
    files = seconds.pop("held_files")
    hours = {f"{key}_hours": None if value is None else round(value / 3600.0, 4) for key, value in seconds.items()}
    return {**hours, "held_files": files}


def _inbox_json(inbox: InboxView) -> dict[str, Any]:
    keys = ("name", "inbox", "waiting", "in_flight", "delivered", "failed")
    return {key: getattr(inbox, key) for key in keys} | {"alarms": [_alarm_json(alarm) for alarm in inbox.alarms]}


def _alarm_json(alarm: Alarm) -> dict[str, Any]:
    keys = ("scope", "code", "message", "remedy")
    return {key: getattr(alarm, key) for key in keys} | {"since": utc(alarm.since)}


def _file_json(file: FileView) -> dict[str, Any]:
    keys = ("inbox", "path", "state", "reason", "code", "attempts", "task_id")
    return {key: getattr(file, key) for key in keys} | {"since": utc(file.since), "outputs": list(file.outputs)}


def utc(seconds: float | None) -> str | None:
    """A moment for programs."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(seconds: float) -> str:
    """A moment for people, in their time zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
