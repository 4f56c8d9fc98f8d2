"""In which state a file is for people, since when and why: pure, from a row of the ledger and what it may wait for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dropscribe.allowance import Balance, obstacle
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
from dropscribe.moments import moment

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
class Situation:
    """What a file may be waiting for: a daemon, the right account, the end of a fault, a moment, room in the limits."""

    running: bool
    account: str | None
    scopes: tuple[Scope, ...]
    now: float
    balances: tuple[Balance, ...] = ()


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
