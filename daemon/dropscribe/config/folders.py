"""Folders that cannot stand together, by their real paths: a file must never be taken twice, or out of an outbox."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dropscribe.config.derive import BESIDE
from dropscribe.config.drafts import Draft, Report
from dropscribe.config.wording import folder, seen

_WORD = re.compile(r"[\w-]{1,100}")


@dataclass(frozen=True)
class Place:
    """One folder of the configuration and the key that names it."""

    draft: Draft
    key: str
    path: Path

    @cached_property
    def real(self) -> str:
        return os.path.realpath(self.path)

    @property
    def at(self) -> str:
        return self.draft.at(self.key)

    def lies_in(self, other: "Place") -> bool:
        """Equal, or anywhere below."""
        return self.real == other.real or self.real.startswith(other.real.rstrip("/") + "/")


def check_names(inboxes: Sequence[Draft], report: Report) -> None:
    """Every inbox has a name of its own, and it is a word."""
    first: dict[str, Draft] = {}
    for draft in inboxes:
        name = draft.get("name")
        if name is None:
            continue
        if not _WORD.fullmatch(name):
            message = (
                f"the folder's name `{seen(name)}` is not a word; give this inbox a `name` of letters, digits, - and _"
            )
            report.fault(draft.at("name"), draft.line_of("name"), message)
        elif name in first:
            other = f"{first[name].path} (line {first[name].line})"
            message = f"`{seen(name)}` is the name of {other} as well; give each inbox a `name` of its own"
            report.fault(draft.at("name"), draft.line_of("name"), message)
        first.setdefault(name, draft)


def check_folders(top: Draft, inboxes: Sequence[Draft], report: Report) -> None:
    """All folders against each other."""
    boxes = [place for draft in inboxes for place in _places(draft, "inbox")]
    others = [place for draft in inboxes for place in _places(draft, *BESIDE)]
    state = _places(top, "state")
    for draft in inboxes:
        _check_own(draft, report)
    _check_boxes(boxes, report)
    _check_inside(boxes, others + state, report)
    _check_state(state, others, report)


def check_state(top: Draft, filesystem_of: Callable[[Path], str], network: frozenset[str], report: Report) -> None:
    """The state folder needs locks and durable writes that hold: no network file system."""
    for place in _places(top, "state"):
        filesystem = filesystem_of(place.path)
        if filesystem in network:
            message = f"{folder(place.path)} lies on a network file system ({filesystem}), where locks and durable"
            remedy = "writes cannot be relied on; right is a folder on a local disk"
            report.fault(place.at, top.line_of("state"), f"{message} {remedy}")


def _places(draft: Draft, *keys: str) -> list[Place]:
    return [Place(draft, key, path) for key in keys if isinstance(path := draft.get(key), Path)]


def _check_boxes(boxes: Sequence[Place], report: Report) -> None:
    """No inbox inside another one."""
    for index, place in enumerate(boxes):
        for other in boxes[:index]:
            if place.lies_in(other) or other.lies_in(place):
                how = "is the same folder as" if place.real == other.real else "overlaps with"
                message = f"{how} {other.at} ({folder(other.path)}); give each inbox a folder of its own"
                report.fault(place.at, place.draft.line_of(place.key), message)


def _check_inside(boxes: Sequence[Place], others: Sequence[Place], report: Report) -> None:
    """No inbox inside a folder that dropscribe writes to: it would take what it wrote, or never scan at all."""
    for box in boxes:
        for other in others:
            own = box.draft is other.draft and box.real == other.real  # has rules of its own
            if box.lies_in(other) and not own:
                how = "is the same folder as" if box.real == other.real else "lies inside"
                message = f"{how} {other.at} ({folder(other.path)}), which is never scanned; move one of them"
                report.fault(box.at, box.draft.line_of("inbox"), message)


def _check_own(draft: Draft, report: Report) -> None:
    """One inbox's own four folders."""
    by_key = {place.key: place for place in _places(draft, "inbox", *BESIDE)}

    def same(one: str, other: str) -> bool:
        return one in by_key and other in by_key and by_key[one].real == by_key[other].real

    def fault(key: str, message: str) -> None:
        report.fault(draft.at(key), draft.line_of(key), message)

    if same("done", "inbox"):
        fault("done", "is the inbox itself; right is `done: keep`, which leaves sources where they are")
    elif same("outbox", "inbox") and draft.get("done") not in ("keep", None):
        fault("done", "has to be `keep` where outbox and inbox are the same folder; or choose another outbox")
    if same("failed", "inbox"):
        fault("failed", "is the inbox itself, so a failed file would be taken again; choose another folder")
    elif same("failed", "outbox"):
        fault("failed", "is the outbox as well, so failures would lie among transcripts; choose another folder")
    elif same("failed", "done"):
        fault("failed", "is the folder for what is done as well; choose another folder")


def _check_state(state: Sequence[Place], others: Sequence[Place], report: Report) -> None:
    """What is private to the ledger is nobody's outbox."""
    for place in state:
        for other in others:
            if place.real == other.real:
                message = "is the state folder as well, which is dropscribe's own; choose another folder"
                report.fault(other.at, other.draft.line_of(other.key), message)
