"""What the ledger and the inboxes say of each file, as people and programs see it: pure.

rows and scopes of the ledger, entries of a scan -> views -> JSON for programs (`story_json`), lines for people
(`story_text`)
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dropscribe.config.settings import InboxSettings
from dropscribe.file_state import FileState, Situation, reason_of, since_of, state_of
from dropscribe.ledger.stories import FileRow
from dropscribe.model import Scope
from dropscribe.moments import moment
from dropscribe.names import display
from dropscribe.packing import recipe_label
from dropscribe.scan import Ignored

WAITING: frozenset[FileState] = frozenset({"settling", "waiting", "uploading", "uploaded"})
IN_FLIGHT: frozenset[FileState] = frozenset({"submitted", "answered"})


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
