"""What `status` says to people: a few aligned lines, pure. Where all is well, only the counts."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dropscribe.allowance import hours
from dropscribe.file_state import FileState, state_of
from dropscribe.ledger.stories import FileRow, Payment
from dropscribe.moments import moment
from dropscribe.names import display
from dropscribe.story import Alarm, FileView, InboxView, Status

MOST_LINES = 20
"""Files named for each inbox and state; the rest is counted."""
MOST_SIBLINGS = 5
_ORDER: tuple[FileState, ...] = (
    "failed",
    "answered",
    "submitted",
    "uploaded",
    "uploading",
    "waiting",
    "settling",
    "ignored",
)


@dataclass(frozen=True, slots=True)
class Tale:
    """All that is known of one file; `earlier` are the rows before `row` at the same path, newest first."""

    view: FileView
    row: FileRow
    outputs: tuple[bytes, ...]
    source: str
    payments: tuple[Payment, ...] = ()
    siblings: tuple[FileRow, ...] = ()
    earlier: tuple[FileRow, ...] = ()
    error_stands: bool = True
    """Whether the error file is where it was put: a retry takes it away."""
    configured: bool = True
    """Whether its inbox is in the configuration."""


def overview(status: Status) -> Iterator[str]:
    """The counts, what is out of order, and each file that is not delivered."""
    yield _daemon(status)
    shared = _shared(status.inboxes)
    for alarm in shared:
        yield from _alarm(alarm, "")
    width = max((len(inbox.name) for inbox in status.inboxes), default=0)
    for inbox in status.inboxes:
        yield f"{inbox.name:<{width}}  {_counts(inbox)}"
        for alarm in inbox.alarms:
            if alarm not in shared:
                yield from _alarm(alarm, "  ")
    yield from (f"! {note}" for note in status.notes)
    yield from _spending(status)
    yield from _files(status.files)


def overview_of(folder: str, files: Sequence[FileView], inboxes: Sequence[InboxView]) -> Iterator[str]:
    """The same of one folder: counts of its files by inbox, and each that is not delivered."""
    yield f"In and below {folder}:"
    width = max((len(inbox.name) for inbox in inboxes), default=0)
    for inbox in inboxes:
        yield f"{inbox.name:<{width}}  {_counts(inbox)}"
    yield from _files(files)


def _spending(status: Status) -> Iterator[str]:
    """What was spent and is reserved, where there is anything of it; what nobody could be told."""
    found = status.spending
    if found is not None and any((found.this_month, found.reserved, found.held_files)):
        today, month = _of(found.today, found.day_limit), _of(found.this_month, found.month_limit)
        yield f"spent     {today} today, {month} this month; {hours(found.reserved)} reserved for what is under way"
        if found.guessed_this_month >= 0.5:
            yield f"          of that {hours(found.guessed_this_month)} are taken for billed; the service did not say"
        if found.held_files:
            yield f"held      {_recordings(found.held_files)} of {hours(found.held)} for the limits"
    count, since = status.notices
    if count:
        yield f"notices   {count} wait to be taken{f', the oldest since {moment(since)}' if since else ''}"


def _recordings(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _of(seconds: float, limit: float | None) -> str:
    return hours(seconds) if limit is None else f"{hours(seconds)} of {hours(limit)}"


def _daemon(status: Status) -> str:
    daemon = status.daemon
    if not daemon.running:
        return "The daemon is not running."
    pid = f" (pid {daemon.pid})" if daemon.pid else ""
    return f"The daemon runs{pid}{f' since {moment(daemon.since)}' if daemon.since else ''}."


def _shared(inboxes: Sequence[InboxView]) -> list[Alarm]:
    """Alarms of all inboxes are said once."""
    if len(inboxes) < 2:
        return []
    return [alarm for alarm in inboxes[0].alarms if all(alarm in inbox.alarms for inbox in inboxes[1:])]


def _alarm(alarm: Alarm, indent: str) -> Iterator[str]:
    since = f" (since {moment(alarm.since)})" if alarm.since else ""
    yield f"{indent}! {alarm.scope}: {alarm.code}: {alarm.message}{since}"
    if alarm.remedy:
        yield f"{indent}  {alarm.remedy}"


def _counts(inbox: InboxView) -> str:
    said = f"{inbox.waiting} waiting, {inbox.in_flight} in flight, {inbox.delivered} delivered, {inbox.failed} failed"
    return f"{said}, {inbox.ignored} ignored" if inbox.ignored else said


def _files(files: Sequence[FileView]) -> Iterator[str]:
    told = [file for file in files if file.state in _ORDER]
    told.sort(key=lambda file: (_ORDER.index(file.state), file.inbox, file.path))
    for _, group in groupby(told, key=lambda file: (file.state, file.inbox)):
        some = list(group)
        width = min(60, max(len(_name(file)) for file in some[:MOST_LINES]))
        yield ""
        for file in some[:MOST_LINES]:
            yield f"{file.state:<9}  {_name(file):<{width}}  {_why(file)}".rstrip()
        if len(some) > MOST_LINES:
            yield f"{'':<9}  and {len(some) - MOST_LINES} more (`--json` names them all)"


def _why(file: FileView) -> str:
    reason = file.reason or ""
    if file.state != "failed" or not file.code or reason.startswith(file.code):
        return reason
    return f"{file.code}: {reason}"


def _name(file: FileView) -> str:
    return f"{file.inbox}: {file.path}"


def told(view: FileView) -> Iterator[str]:
    """A file of which the ledger knows nothing."""
    yield f"{_name(view)}  {view.state}"
    if view.reason:
        yield _line("why", view.reason)


def tell(tale: Tale) -> Iterator[str]:
    """The story of one file: where nothing went wrong, in five lines."""
    yield from _verdict(tale)
    yield _line("taken", _taken(tale.row))
    if tale.row.recognition_id is not None and (tale.payments or tale.row.attempts):
        yield _line("heard", _heard(tale))
    if tale.view.outputs:
        yield _line("outputs", ", ".join(_beside_the_first(tale.view.outputs)))
    yield _line("source", tale.source)
    if tale.row.error_file is not None and tale.view.state == "failed" and tale.error_stands:
        yield _line("error", display(tale.row.error_file))
    yield from _remarks(tale)


def _verdict(tale: Tale) -> Iterator[str]:
    view, row = tale.view, tale.row
    since = "" if view.state in ("delivered", "failed", "withdrawn") else "since "
    yield f"{_name(view)}  {view.state}{f' {since}{moment(view.since)}' if view.since else ''}"
    if view.reason:
        yield _line("why", _why(view))
    if view.state == "failed" and row.remedy:
        yield _line("remedy", row.remedy)


def _taken(row: FileRow) -> str:
    """Its way into the house: written, found unchanged twice, taken, uploaded."""
    said = [moment(row.taken_at)]
    if row.mtime_ns:
        said[0] += f" (last written {_after(row.mtime_ns / 1e9, row.taken_at)})"
    said.append(size_text(row.size))
    if row.sha256:
        said.append(f"sha256 {row.sha256[:12]}")
    if row.ready_at:
        said.append(f"uploaded {_after(row.ready_at, row.taken_at)}")
    return ", ".join(said)


def _heard(tale: Tale) -> str:
    """The way of the recognition: submits, task, what it cost, the verdict."""
    row = tale.row
    said = [f"with {row.model}"]
    if tale.payments:
        said.append(_payment(tale.payments, row.taken_at))
    if row.answered_at and row.recognition_state == "answered":
        said.append(f"answered {_after(row.answered_at, row.taken_at)}")
    if row.attempts:
        said.append(f"{row.attempts} failed attempt{'s' if row.attempts > 1 else ''}")
    return ", ".join(said)


def _payment(payments: Sequence[Payment], taken_at: float) -> str:
    last = payments[-1]
    said = f"submitted {_after(last.submitted_at or last.intended_at, taken_at)} in a batch of {last.total}"
    if len(payments) > 1:
        said += f" (its submit number {len(payments)})"
    if last.task_id:
        said += f", task {last.task_id}"
    if last.billed_seconds is not None:
        said += f", {last.billed_seconds:g} s billed{f' for all {last.total}' if last.total > 1 else ''}"
    return said


def _after(seconds: float, before: float) -> str:
    """A moment; only its time of day where `before` is of the same day."""
    day, _, time_of_day = moment(seconds).partition(" ")
    return time_of_day if moment(before).startswith(day) else moment(seconds)


def _beside_the_first(paths: Sequence[str]) -> Iterator[str]:
    """The first path whole, the others in its folder by their names."""
    folder = os.path.dirname(paths[0])
    for number, path in enumerate(paths):
        yield os.path.basename(path) if number and os.path.dirname(path) == folder else path


def _remarks(tale: Tale) -> Iterator[str]:
    if not tale.configured:
        yield _line("inbox", f"{tale.row.inbox} is not in the configuration any more")
    twice = [task for payment in tale.payments for task in payment.paid_twice]
    if twice:
        yield _line("twice", f"Its batch was paid more than once: also task {', '.join(twice)}. Look at the bill.")
    if tale.siblings:
        names = [f"{row.inbox}: {display(row.path)}" for row in tale.siblings[:MOST_SIBLINGS]]
        more = len(tale.siblings) - len(names)
        yield _line("shared", f"Recognised once together with {', '.join(names)}{f' and {more} more' if more else ''}")
    if tale.earlier:
        before = [f"{state_of(row)} {moment(row.finished_at or row.taken_at)}" for row in tale.earlier[:MOST_SIBLINGS]]
        yield _line("earlier", f"{len(tale.earlier)} before at this path: {', '.join(before)}")


def _line(label: str, text: str) -> str:
    return f"  {label:<7}  {text}"


def size_text(size: int) -> str:
    """Bytes for people."""
    for unit, bytes_each in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= bytes_each:
            return f"{size / bytes_each:.1f} {unit}"
    return f"{size} bytes"


def source_text(row: FileRow, inbox: os.PathLike[str] | None, exists: bool, kept: bool) -> str:
    """Where the source is. `exists`: something stands at `moved_to`; `kept`: the source stays in the inbox."""
    state = state_of(row)
    home = "the inbox" if inbox is None else display(os.path.join(os.fsencode(inbox), row.path))
    if state not in ("delivered", "failed", "withdrawn"):
        return home
    if row.moved_to is not None:
        there = display(row.moved_to)
        if exists:
            return there
        return (
            f"it never came to {there}" if row.reason else f"not at {there} any more"
        )  # the reason says what became of it
    if state == "delivered" and not kept:
        return "deleted after its delivery"
    return home
