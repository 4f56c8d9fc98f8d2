"""Where the files of a group go: the plan of a delivery, made by one look at the disk. Blocking; for threads.

What the looks mean is decided in `naming`. Nothing is placed here; only what an interrupted try of the same file has
placed under names that turned out to be somebody else's is taken away again.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dropscribe.config.settings import InboxSettings
from dropscribe.disk.placing import content_sha256, sha256_within, sync_names
from dropscribe.disk.sources import lies_below, parent_of, regular_file, seen_from
from dropscribe.dispose import MoveTo, Remove, Stay, Way, still_fits
from dropscribe.folders import FolderTrouble
from dropscribe.ledger.rows import OwedMedia, Owner, PlannedOutput, Reservation
from dropscribe.names import display, error_name, placing_order
from dropscribe.naming import Standing, first_free, first_free_with_error, standing, stems
from dropscribe.render import depends_on_content, suffix_of

LARGEST_ERROR_FILE = 1024 * 1024


@dataclass(frozen=True)
class Rendered:
    """A file that is owed its outputs, and their texts by format; `notes` say what is not as it should be."""

    media: OwedMedia
    texts: Mapping[str, bytes]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Planned:
    """A rendered file whose names are chosen; `standing` outputs are in place already.

    `earlier` are the deliveries of the same source, rewritten in place since, whose outputs these replace.
    """

    rendered: Rendered
    reservation: Reservation
    standing: frozenset[bytes]
    earlier: frozenset[int] = frozenset()


class Wish:
    """A rendered file on its way through the sets of names it could get."""

    def __init__(
        self, inbox: InboxSettings, one: Rendered, reserved: Sequence[PlannedOutput], unplaced: frozenset[bytes]
    ) -> None:
        """`reserved` by an earlier try, which placed nothing at `unplaced`, though what stands there may be equal."""
        self.inbox = inbox
        self.one = one
        self.placed_before = [planned for planned in reserved if planned.path not in unplaced]
        self.formats = [(name, suffix_of(name)) for name in placing_order(tuple(one.texts))]
        self._outbox = os.fsencode(inbox.outbox)
        within = [os.path.relpath(planned.path, self._outbox) for planned in reserved]
        self._stems = stems(one.media, self.formats, within)
        self.paths: list[bytes] = []
        self.next()

    def next(self) -> bool:
        """Go on to the next set; False where there is none."""
        names = next(self._stems, ())
        self.paths = [os.path.join(self._outbox, name) for name in names]
        return bool(self.paths)


def fit_apart(wish: Wish, owners: Mapping[bytes, Owner], taken: set[bytes]) -> Planned | None:
    """`fit`, and no name that another file of the group has got; what it takes is added to `taken`."""
    plan = None if taken.intersection(wish.paths) else fit(wish, owners, taken)
    if plan is not None:
        taken.update(wish.paths)
        if plan.reservation.moved_to is not None:
            taken.add(plan.reservation.moved_to)
    return plan


def fit(wish: Wish, owners: Mapping[bytes, Owner], taken: set[bytes]) -> Planned | None:
    """The plan under the names wished for, or None if one of them is somebody else's."""
    inbox, one, paths = wish.inbox, wish.one, wish.paths
    with FolderTrouble(inbox.outbox):
        found = {path: _content(inbox.outbox, path) for path in paths}
        keeps = inbox.done == "keep"
        if any(standing(one.media, owners.get(path), found[path], keeps) is Standing.FOREIGN for path in paths):
            return None
        outputs = tuple(
            PlannedOutput(path, name, hashlib.sha256(one.texts[name]).hexdigest(), found[path] or "")
            for path, (name, _) in zip(paths, wish.formats, strict=True)
        )
        _remove_outgrown(inbox.outbox, wish.placed_before, paths)
        moved_to = _target(inbox, one.media, taken)
    in_place = frozenset(planned.path for planned in outputs if found[planned.path] == planned.sha256)
    earlier = _earlier(one.media, [owners[path] for path in paths if path in owners]) if keeps else frozenset()
    return Planned(one, Reservation(one.media.media_id, outputs, moved_to), in_place, earlier)


def _earlier(media: OwedMedia, owners: Iterable[Owner]) -> frozenset[int]:
    same = [owner for owner in owners if (owner.inbox, owner.source) == (media.inbox, media.path)]
    return frozenset(owner.media_id for owner in same) - {media.media_id}


def without_outgrown(inbox: InboxSettings, plan: Planned, before: Iterable[PlannedOutput]) -> Planned:
    """The plan that also ends what earlier versions of the source had and this one has not: a channel's file.

    A format that the configuration has no more is left to people; that a channel is silent now nobody has decided.
    Removed before the new names are reserved: until then the ledger knows whose they are.
    """
    paths = [planned.path for planned in plan.reservation.outputs]
    outgrown = [planned for planned in before if depends_on_content(planned.format) and planned.path not in paths]
    with FolderTrouble(inbox.outbox):
        _remove_outgrown(inbox.outbox, outgrown, paths)
    return replace(plan, reservation=replace(plan.reservation, outgrown=tuple(planned.path for planned in outgrown)))


def _content(root: Path, path: bytes) -> str | None:
    """`sha256_within`; a link or a file in the place of a folder shows when the output is to be placed."""
    try:
        return sha256_within(*seen_from(root, path))
    except NotADirectoryError:
        return None


def _target(inbox: InboxSettings, media: OwedMedia, taken: set[bytes]) -> bytes | None:
    """Where the source will go: absolute; None where it stays or is deleted."""
    if not isinstance(inbox.done, Path):
        return None
    if media.moved_to is not None and still_fits(media, inbox.done, media.moved_to):
        return media.moved_to
    wanted = os.path.join(os.fsencode(inbox.done), media.path)
    return first_free(wanted, lambda path: path in taken or os.path.lexists(path))


def way_of(inbox: InboxSettings, media: OwedMedia, moved_to: bytes | None) -> Way:
    """A failed source goes to failed/ unless the inbox keeps its sources; a delivered one where `done` says."""
    if moved_to is not None:
        root = inbox.failed if media.state == "failing" else inbox.done
        assert isinstance(root, Path)
        return MoveTo(root, moved_to, resuming=media.moved_to == moved_to)
    return Remove() if inbox.done == "delete" and media.state != "failing" else Stay()


def failure_names(
    inbox: InboxSettings, media: OwedMedia, wanted: bytes, stale: tuple[str, bytes] | None, taken: set[bytes]
) -> Reservation:
    """Where a failed source and its error file go; an error file of the same source is replaced."""
    replaceable = {media.error_file} if media.error_file is not None else set()
    if stale == (media.inbox, media.path):
        replaceable.add(error_name(wanted))

    def is_taken(path: bytes) -> bool:
        own = path in replaceable and _speaks_of(media, inbox.failed, path)
        return path in taken or (not own and os.path.lexists(path))

    with FolderTrouble(inbox.failed):
        resumes = media.error_file is not None and (
            not is_taken(media.error_file)
            if lies_below(inbox.failed, media.error_file)
            else media.error_file not in taken and _speaks_of(media, inbox.failed, media.error_file)
        )
        if inbox.done == "keep":
            keeps = media.error_file if resumes else error_name(first_free_with_error(wanted, is_taken))
            return Reservation(media.media_id, (), None, keeps)
        target = media.moved_to
        if not resumes or target is None or target in taken or not still_fits(media, inbox.failed, target):
            target = first_free_with_error(wanted, is_taken)
        return Reservation(media.media_id, (), target, error_name(target))


def _speaks_of(media: OwedMedia, root: Path, path: bytes) -> bool:
    try:
        with parent_of(*seen_from(root, path)) as (folder, name):
            return is_own_error_file(media, name, folder)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_own_error_file(media: OwedMedia, name: bytes, folder: int) -> bool:
    """Whether the error file speaks of this source: the ledger alone cannot know what others put there."""
    try:
        with regular_file(name, folder) as descriptor:
            body = json.loads(os.read(descriptor, LARGEST_ERROR_FILE)) if descriptor is not None else None
    except (FileNotFoundError, ValueError, RecursionError):
        return False
    return isinstance(body, dict) and (body.get("inbox"), body.get("source")) == (media.inbox, display(media.path))


def _remove_outgrown(root: Path, reserved: Iterable[PlannedOutput], paths: Sequence[bytes]) -> None:
    """An interrupted delivery placed some of its set under names that turned out to be somebody else's.

    Before the new names are reserved: until then the ledger lets nobody else have the old ones.
    """
    for planned in reserved:
        if planned.path not in paths:
            _remove_ours(root, planned)


def _remove_ours(root: Path, planned: PlannedOutput) -> None:
    missing = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    with missing, parent_of(*seen_from(root, planned.path)) as (folder, name):
        if content_sha256(name, folder) == planned.sha256:
            os.unlink(name, dir_fd=folder)
            sync_names(folder)  # the ledger forgets the name next: back after a power cut, it would be a stranger's
