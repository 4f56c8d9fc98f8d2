"""Which file a person means: a path in an inbox, outbox, done or failed folder, absolute or from here or an inbox."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.ledger import stories, upkeep
from dropscribe.ledger.stories import FileRow

Kind = Literal["inbox", "outbox", "done", "failed"]
KINDS: tuple[Kind, ...] = ("inbox", "outbox", "done", "failed")


@dataclass(frozen=True, slots=True)
class Place:
    """A path within a configured folder; `absolute` is written as the ledger writes it."""

    inbox: InboxSettings
    kind: Kind
    relative: bytes
    absolute: bytes


def folder(inbox: InboxSettings, kind: Kind) -> Path | None:
    """One of an inbox's folders; None where sources stay or are deleted."""
    found = getattr(inbox, kind)
    return found if isinstance(found, Path) else None


def own_folders(settings: Settings) -> list[Path]:
    """What is never scanned, wherever it lies."""
    found = [settings.state]
    for inbox in settings.inboxes:
        mine = (folder(inbox, kind) for kind in KINDS[1:])
        found += [path for path in mine if path is not None and path != inbox.inbox]
    return found


def places_of(settings: Settings, path: bytes) -> list[Place]:
    """Every place that `path` names, as an absolute path or from the current folder."""
    whole, real = _whole_and_real(path)
    return [
        Place(inbox, kind, relative, os.path.join(os.fsencode(root), relative))
        for inbox in settings.inboxes
        for kind in KINDS
        if (root := folder(inbox, kind)) is not None and (relative := _within(root, whole, real))
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """What a folder means of an inbox: all that is below `below` in its folder of this kind (b"": all there is).

    `root` is where the inbox lies, or lay; `keeps`: sources stay there. Of an inbox that is not configured any more no
    other folder is known: `placed` means all of which something went below the absolute folder `below`.
    """

    inbox: str
    root: bytes
    keeps: bool
    kind: Kind | Literal["placed"]
    below: bytes


def parts_of(settings: Settings, connection: Connection | None, path: bytes) -> list[Part]:
    """The folders that `path` is, lies in or holds: of the configuration, then of inboxes that the ledger remembers."""
    forms = {os.path.abspath(path), os.path.realpath(path)}
    found = []
    for inbox in settings.inboxes:
        for kind in KINDS:
            root = folder(inbox, kind)
            if root is not None and (below := _part(root, forms)) is not None:
                found.append(Part(inbox.name, os.fsencode(inbox.inbox), inbox.done == "keep", kind, below))
    return found if connection is None else [*found, *_removed_parts(settings, connection, forms)]


def _removed_parts(settings: Settings, connection: Connection, forms: set[bytes]) -> Iterator[Part]:
    configured = {inbox.name for inbox in settings.inboxes}
    roots = {name: root for name, root in upkeep.inbox_roots(connection).items() if name not in configured}
    for name, root in roots.items():
        if (below := _part(Path(os.fsdecode(root)), forms)) is not None:
            configured.add(name)
            yield Part(name, root, False, "inbox", below)
    for form in forms:
        for name in stories.inboxes_with_files_below(connection, form.rstrip(b"/")):
            if name not in configured:
                configured.add(name)
                yield Part(name, roots.get(name, b""), False, "placed", form.rstrip(b"/"))


def _part(root: Path, forms: set[bytes]) -> bytes | None:
    if forms & _forms(root) or any(_within(Path(os.fsdecode(form)), *_forms(root)) for form in forms):
        return b""
    return _within(root, *forms)


def inbox_places_of(settings: Settings, path: bytes) -> list[Place]:
    """The same for a path that is meant from an inbox."""
    relative = os.path.normpath(path)
    if os.path.isabs(path) or relative == b"." or relative.split(b"/")[0] == b"..":
        return []
    return [
        Place(inbox, "inbox", relative, os.path.join(os.fsencode(inbox.inbox), relative)) for inbox in settings.inboxes
    ]


def still_on_its_way(connection: Connection, places: Sequence[Place]) -> FileRow | None:
    """The file that these places in done or failed folders are not, but may become: by its path in the inbox."""
    for place in places:
        if place.kind in ("done", "failed"):
            path = place.relative.removesuffix(b".error.json") if place.kind == "failed" else place.relative
            if rows := stories.files_at(connection, place.inbox.name, path):
                return rows[0]
    return None


def folders_named(settings: Settings, path: bytes) -> list[Path]:
    """The configured folders that `path` itself is."""
    forms = {os.path.abspath(path), os.path.realpath(path)}
    every = [found for inbox in settings.inboxes for kind in KINDS if (found := folder(inbox, kind))]
    return [found for found in dict.fromkeys(every) if forms & _forms(found)]


def _within(root: Path, *paths: bytes) -> bytes | None:
    """The path within `root`, which may be named through a link."""
    for form in _forms(root):
        for path in paths:
            if path.startswith(form.rstrip(b"/") + b"/"):
                return os.path.relpath(path, form)
    return None


def _forms(root: Path) -> set[bytes]:
    name = os.fsencode(root)
    return {os.path.abspath(name), os.path.realpath(name)}


def rows_at(connection: Connection, places: Sequence[Place]) -> list[FileRow]:
    """The files that these places name, newest first; for a path in an inbox all that were ever taken there."""
    found = {row.media_id: row for row in _rows(connection, places)}
    return [found[number] for number in sorted(found, reverse=True)]


def _rows(connection: Connection, places: Sequence[Place]) -> Iterator[FileRow]:
    for place in places:
        if place.kind == "inbox":
            yield from stories.files_at(connection, place.inbox.name, place.relative)
    if places:
        yield from stories.files_placed(connection, [place.absolute for place in places])


def meant(settings: Settings, connection: Connection | None, path: bytes) -> tuple[list[Place], list[FileRow]]:
    """The places that `path` names and the files the ledger knows there, newest first.

    A path from an inbox is tried where the same path from here names nothing; in both cases first among the inboxes of
    the configuration, then among those that are not in it any more.
    """
    here = places_of(settings, path)
    rows = [] if connection is None else rows_at(connection, here) or _rows_of_removed(connection, settings, path)
    if rows or any(os.path.lexists(place.absolute) for place in here):
        return here, rows
    inside = inbox_places_of(settings, path)
    if connection is None or not inside:
        return [*here, *inside], []
    configured = [inbox.name for inbox in settings.inboxes]
    others = stories.files_of_others(connection, configured, inside[0].relative)
    return [*here, *inside], rows_at(connection, inside) or others


def _rows_of_removed(connection: Connection, settings: Settings, path: bytes) -> list[FileRow]:
    """Files of inboxes that are not configured any more, by where their folders were."""
    forms = _whole_and_real(path)
    found = {row.media_id: row for row in stories.files_placed(connection, forms)}
    configured = {inbox.name for inbox in settings.inboxes}
    for name, root in upkeep.inbox_roots(connection).items():
        if name not in configured and (relative := _within(Path(os.fsdecode(root)), *forms)):
            found |= {row.media_id: row for row in stories.files_at(connection, name, relative)}
    return [found[number] for number in sorted(found, reverse=True)]


def _whole_and_real(path: bytes) -> tuple[bytes, bytes]:
    """The absolute path as it is written, and with the links of its folder followed."""
    whole = os.path.abspath(path)
    return whole, os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
