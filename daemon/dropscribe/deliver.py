"""Answers to files: outputs into place, whole; then the source to where it belongs.

    owed -> render -> names reserved in the ledger -> aside, synced -> placed, JSON last -> folders synced
         -> source hidden, proved to be the very file that was heard, placed in done/ -> delivered
    failing -> names reserved -> error file placed, synced -> source placed in failed/ -> failed

One deliverer an inbox, so that a slow or missing folder stops no other. Files go in groups: one sync a folder and
group.
"""

import asyncio
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import wait_for_event
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.placing import content_sha256, make_folders, place, replace, sync_folder, write_aside
from dropscribe.dispose import Disposal, MoveTo, Remove, Stay, Way, send_source_away, still_fits
from dropscribe.error_file import error_json
from dropscribe.errors import OutOfOrder
from dropscribe.folders import folder_fault
from dropscribe.house import House
from dropscribe.ledger import deliveries
from dropscribe.ledger.rows import OwedMedia, Owner, PlannedOutput, Reservation
from dropscribe.model import Document, Failure
from dropscribe.names import display, error_name, placing_order
from dropscribe.naming import Standing, first_free, first_free_with_error, standing, stems
from dropscribe.render import FORMATS, render_all
from dropscribe.transcript import UnusableResult, parse

log = structlog.get_logger()
Value = TypeVar("Value")

RESERVE = Step("deliver.reserve", "before", "recorded")
ASIDE = Step("deliver.write-aside", "before", "effect")
PLACE = Step("deliver.place", "before", "effect")
SYNC = Step("deliver.sync-folders", "before", "effect")
DELIVERED = Step("deliver.delivered", "before", "recorded")
ERROR_FILE = Step("deliver.error-file", "before", "effect")
FAILED = Step("deliver.failed", "before", "recorded")

GROUP = 64
LONGEST_OBSTACLE = 60.0


@dataclass(frozen=True)
class Rendered:
    """A file that is owed its outputs, and their texts by format."""

    media: OwedMedia
    texts: Mapping[str, bytes]


@dataclass(frozen=True)
class Planned:
    """A rendered file whose names are chosen; `standing` outputs are in place already."""

    rendered: Rendered
    reservation: Reservation
    standing: frozenset[bytes]


class Deliverer:
    """Settles what the files of one inbox are owed."""

    def __init__(
        self,
        name: str,
        house: House,
        threads: Executor,
        on_done: Callable[[], None],
    ) -> None:
        """Folders and outputs are those of the moment of delivery; `on_done` is called after each group."""
        self._name = name
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._on_done = on_done
        self._trouble: str | None = None
        self._stopping = False
        self._obstructed: set[int] = set()
        self.wake = asyncio.Event()

    @property
    def _inbox(self) -> InboxSettings:
        return self._house.inboxes[self._name]

    def stop(self) -> None:
        """End after the group that is being placed."""
        self._stopping = True
        self.wake.set()

    async def run(self) -> None:
        """Deliver until stopped or cancelled."""
        while not self._stopping:
            if self._trouble is not None:
                await self._scopes.passage(self._trouble)
            now = self._clock.now()
            group = await self._ledger.look(deliveries.owed, self._name, GROUP, now)
            if not group:
                due = await self._ledger.look(deliveries.next_owed, self._name, now)
                await wait_for_event(self.wake, self._clock, None if due is None else max(0.05, due - now))
                continue
            await self._settle(group)

    async def _settle(self, group: Sequence[OwedMedia]) -> None:
        try:
            await self._deliver([media for media in group if media.state != "failing"])
            await self._fail([media for media in group if media.state == "failing"])
        except OutOfOrder as fault:
            self._trouble = fault.scope
            await self._scopes.report(fault)
        except Exception:
            log.exception("deliver.bug", inbox=self._name, files=len(group), first=display(group[0].path))
            until = self._clock.now() + self._house.settings.retry.longest_wait
            ids = [media.media_id for media in group]
            await self._ledger.do(deliveries.postpone, ids, "a bug in dropscribe; see the log", until)
            self._trouble = f"deliver:{self._name}"
            await self._scopes.report(OutOfOrder(self._trouble, "Bug", "a bug in dropscribe; see the log", "report it"))
        else:
            if self._trouble is not None:
                await self._scopes.works(self._trouble)
                self._trouble = None
            self._on_done()

    async def _deliver(self, group: Sequence[OwedMedia]) -> None:
        if not group:
            return
        inbox = self._inbox
        await self._in_thread(lambda: self._check_folders(inbox, inbox.done))
        rendered = await self._render(group)
        plans = await self._plan(inbox, rendered)
        RESERVE.before()
        await self._ledger.do(deliveries.reserve, [plan.reservation for plan in plans])
        RESERVE.recorded()
        placed, stuck = await self._in_thread(lambda: _place_all(inbox, plans))
        gone = await self._in_thread(lambda: self._send_away(inbox, placed))
        await self._record([(plan, disposal) for plan, disposal in gone if disposal.final])
        stuck |= {plan.reservation.media_id: disposal.reason for plan, disposal in gone if not disposal.final}
        await self._postpone(stuck)

    async def _postpone(self, stuck: Mapping[int, str | None]) -> None:
        """Files that cannot be placed as planned: the next round plans anew; an obstacle gets time to be moved away."""
        for media_id, reason in stuck.items():
            wait = 0.5 if reason is None else min(LONGEST_OBSTACLE, self._house.settings.retry.longest_wait)
            await self._ledger.do(deliveries.postpone, [media_id], reason, self._clock.now() + wait)
            if reason is not None:
                self._obstructed.add(media_id)
                remedy = "move it away; the other files go on"
                await self._scopes.report(OutOfOrder(f"obstacle:{self._name}", "Obstacle", reason, remedy))

    async def _cleared(self, finished: Iterable[int]) -> None:
        if self._obstructed:
            self._obstructed.difference_update(finished)
            if not self._obstructed:
                await self._scopes.works(f"obstacle:{self._name}")

    async def _record(self, gone: Sequence[tuple[Planned, Disposal]]) -> None:
        DELIVERED.before()
        finished = [(plan.reservation.media_id, disposal.reason) for plan, disposal in gone]
        await self._ledger.do(deliveries.delivered, finished, self._clock.now())
        DELIVERED.recorded()
        await self._cleared(media_id for media_id, _ in finished)
        for plan, disposal in gone:
            log.info("file.delivered", inbox=self._name, path=display(plan.rendered.media.path), note=disposal.reason)

    async def _render(self, group: Sequence[OwedMedia]) -> list[Rendered]:
        ids = [media.recognition_id for media in group if media.recognition_id is not None]
        bodies = await self._ledger.look(deliveries.results, ids)
        outputs = self._inbox.outputs
        found = await self._in_thread(lambda: [_render_one(media, bodies, outputs) for media in group])
        for media, outcome in zip(group, found, strict=True):
            if isinstance(outcome, Failure):
                await self._ledger.do(deliveries.fail, media.media_id, outcome)
        return [outcome for outcome in found if isinstance(outcome, Rendered)]

    async def _plan(self, inbox: InboxSettings, rendered: Sequence[Rendered]) -> list[Planned]:
        """Names for a group: most files get their first choice, found by one look at the ledger and one at the disk."""
        earlier = await self._ledger.look(deliveries.outputs_of, [one.media.media_id for one in rendered])
        wishes = [_Wish(inbox, one, earlier.get(one.media.media_id, ())) for one in rendered]
        owners = await self._ledger.look(deliveries.owners, [path for wish in wishes for path in wish.paths])
        taken: set[bytes] = set()
        plans = await self._in_thread(lambda: [_fit_apart(wish, owners, taken) for wish in wishes])
        return [plan or await self._further(wish, taken) for wish, plan in zip(wishes, plans, strict=True)]

    async def _further(self, wish: "_Wish", taken: set[bytes]) -> Planned:
        """The next stems, for a file whose first names belong to somebody else."""
        while wish.next():
            owners = await self._ledger.look(deliveries.owners, wish.paths)
            plan = await self._in_thread(lambda: _fit_apart(wish, owners, taken))  # noqa: B023 - awaited at once
            if plan is not None:
                return plan
        name = display(wish.one.media.path)
        raise folder_fault(wish.inbox.outbox, "NoFreeName", f"no name is free for the outputs of {name}")

    def _send_away(self, inbox: InboxSettings, plans: Sequence[Planned]) -> list[tuple[Planned, Disposal]]:
        with _folder_trouble(inbox.inbox):
            return [(plan, self._dispose(inbox, plan.rendered.media, plan.reservation.moved_to)) for plan in plans]

    def _dispose(self, inbox: InboxSettings, media: OwedMedia, moved_to: bytes | None) -> Disposal:
        return send_source_away(inbox.inbox, media, _way(inbox, media, moved_to), self._ledger.id)

    async def _fail(self, group: Sequence[OwedMedia]) -> None:
        if not group:
            return
        inbox = self._inbox
        await self._in_thread(lambda: self._check_folders(inbox, inbox.failed))
        taken: set[bytes] = set()
        plans = [await self._plan_failure(inbox, media, taken) for media in group]
        RESERVE.before()
        await self._ledger.do(deliveries.reserve_failures, plans)
        RESERVE.recorded()
        pairs = list(zip(group, plans, strict=True))
        now = self._clock.now()
        gone = await self._in_thread(lambda: self._put_into_failed(inbox, pairs, now))
        done = [(media, disposal) for media, disposal in gone if disposal.final]
        FAILED.before()
        await self._ledger.do(deliveries.failed, [(media.media_id, disposal.reason) for media, disposal in done], now)
        FAILED.recorded()
        await self._cleared(media.media_id for media, _ in done)
        for media, _ in done:
            path = display(media.path)
            log.warning("file.failed", inbox=self._name, path=path, code=media.code, message=media.message)
        await self._postpone({media.media_id: disposal.reason for media, disposal in gone if not disposal.final})

    async def _plan_failure(self, inbox: InboxSettings, media: OwedMedia, taken: set[bytes]) -> Reservation:
        wanted = os.path.join(os.fsencode(inbox.failed), media.path)
        stale = await self._ledger.look(deliveries.error_file_owner, error_name(wanted))
        plan = await self._in_thread(lambda: _failure_names(inbox, media, wanted, stale, taken))
        taken.update(path for path in (plan.moved_to, plan.error_file) if path is not None)
        return plan

    def _put_into_failed(
        self, inbox: InboxSettings, pairs: Sequence[tuple[OwedMedia, Reservation]], now: float
    ) -> list[tuple[OwedMedia, Disposal]]:
        """The reasons stand durably in failed/ before any source moves there."""
        touched = set()
        with _folder_trouble(inbox.failed):
            for media, plan in pairs:
                assert plan.error_file is not None
                touched.add(_write_error_file(inbox, media, plan.error_file, now))
        _sync(touched, inbox.failed)
        with _folder_trouble(inbox.inbox):
            return [(media, self._dispose(inbox, media, plan.moved_to)) for media, plan in pairs]

    def _check_folders(self, inbox: InboxSettings, target: Path | str) -> None:
        self._house.guard(inbox.inbox).check()
        if target is inbox.done:
            self._house.guard(inbox.outbox).check()
        if isinstance(target, Path):
            self._house.guard(target).check()

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _render_one(media: OwedMedia, bodies: Mapping[int, bytes], outputs: Sequence[str]) -> Rendered | Failure:
    body = bodies.get(media.recognition_id or 0)
    if body is None:
        return Failure("ResultForgotten", "its result is not kept any more", "`dropscribe retry` recognises it again")
    try:
        transcript = parse(gzip.decompress(body))
    except UnusableResult as unusable:
        return Failure("UnusableResult", str(unusable), "report it to the service", task_id=media.task_id)
    document = Document(
        source_name=display(media.path),
        size=media.look.size,
        sha256=media.sha256 or "",
        model=media.model or "",
        settings=json.loads(media.settings or "{}"),
        task_id=media.task_id,
        transcript=transcript,
    )
    return Rendered(media, render_all(document, outputs))


class _Wish:
    """A rendered file on its way through the sets of names it could get."""

    def __init__(self, inbox: InboxSettings, one: Rendered, reserved: Sequence[PlannedOutput]) -> None:
        self.inbox = inbox
        self.one = one
        self.reserved = reserved
        self.formats = [(name, FORMATS[name].suffix) for name in placing_order(tuple(one.texts))]
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


def _fit_apart(wish: _Wish, owners: Mapping[bytes, Owner], taken: set[bytes]) -> Planned | None:
    """`_fit`, and no name that another file of the group has got; what it takes is added to `taken`."""
    plan = None if taken.intersection(wish.paths) else _fit(wish, owners, taken)
    if plan is not None:
        taken.update(wish.paths)
        if plan.reservation.moved_to is not None:
            taken.add(plan.reservation.moved_to)
    return plan


def _fit(wish: _Wish, owners: Mapping[bytes, Owner], taken: set[bytes]) -> Planned | None:
    """The plan under the names wished for, or None if one of them is somebody else's."""
    inbox, one, paths = wish.inbox, wish.one, wish.paths
    with _folder_trouble(inbox.outbox):
        found = {path: _content(path) for path in paths}
        keeps = inbox.done == "keep"
        if any(standing(one.media, owners.get(path), found[path], keeps) is Standing.FOREIGN for path in paths):
            return None
        outputs = tuple(
            PlannedOutput(path, name, hashlib.sha256(one.texts[name]).hexdigest(), found[path] or "")
            for path, (name, _) in zip(paths, wish.formats, strict=True)
        )
        _remove_outgrown(wish.reserved, paths)
        moved_to = _target(inbox, one.media, taken)
    in_place = frozenset(planned.path for planned in outputs if found[planned.path] == planned.sha256)
    return Planned(one, Reservation(one.media.media_id, outputs, moved_to), in_place)


def _content(path: bytes) -> str | None:
    """`content_sha256`; a file in the place of a folder shows when the output is to be placed."""
    try:
        return content_sha256(path)
    except NotADirectoryError:
        return None


def _target(inbox: InboxSettings, media: OwedMedia, taken: set[bytes]) -> bytes | None:
    """Where the source will go: absolute; None where it stays or is deleted."""
    if not isinstance(inbox.done, Path):
        return None
    if media.moved_to is not None and still_fits(media, media.moved_to):
        return media.moved_to
    wanted = os.path.join(os.fsencode(inbox.done), media.path)
    return first_free(wanted, lambda path: path in taken or os.path.lexists(path))


def _way(inbox: InboxSettings, media: OwedMedia, moved_to: bytes | None) -> Way:
    """A failed source goes to failed/ unless the inbox keeps its sources; a delivered one where `done` says."""
    if moved_to is not None:
        root = inbox.failed if media.state == "failing" else inbox.done
        assert isinstance(root, Path)
        return MoveTo(root, moved_to, resuming=media.moved_to == moved_to)
    return Remove() if inbox.done == "delete" and media.state != "failing" else Stay()


def _failure_names(
    inbox: InboxSettings, media: OwedMedia, wanted: bytes, stale: tuple[str, bytes] | None, taken: set[bytes]
) -> Reservation:
    """Where a failed source and its error file go; an error file of the same source is replaced."""
    replaceable = {media.error_file}
    if stale == (media.inbox, media.path):
        replaceable.add(error_name(wanted))

    def is_taken(path: bytes) -> bool:
        return path in taken or (path not in replaceable and os.path.lexists(path))

    with _folder_trouble(inbox.failed):
        if inbox.done == "keep":
            keeps = media.error_file or error_name(first_free_with_error(wanted, is_taken))
            return Reservation(media.media_id, (), None, keeps)
        target = media.moved_to
        if media.error_file is None or target is None or not still_fits(media, target):
            target = first_free_with_error(wanted, is_taken)
        return Reservation(media.media_id, (), target, error_name(target))


def _remove_outgrown(reserved: Iterable[PlannedOutput], paths: Sequence[bytes]) -> None:
    """An interrupted delivery placed some of its set under names that turned out to be somebody else's."""
    for planned in reserved:
        if planned.path not in paths and content_sha256(planned.path) == planned.sha256:
            os.unlink(planned.path)


def _place_all(inbox: InboxSettings, plans: Sequence[Planned]) -> tuple[list[Planned], dict[int, str | None]]:
    """Put the outputs of a group into place; also return the files that have to be planned anew, with the obstacle."""
    placed: list[Planned] = []
    stuck: dict[int, str | None] = {}
    with _folder_trouble(inbox.outbox):
        for plan in plans:
            try:
                _place_set(inbox, plan)
                placed.append(plan)
            except FileExistsError:
                stuck[plan.reservation.media_id] = None
            except NotADirectoryError as obstacle:
                stuck[plan.reservation.media_id] = f"{obstacle.filename}: {obstacle.strerror}"
        folders = {os.path.dirname(planned.path) for plan in placed for planned in plan.reservation.outputs}
    _sync(folders, inbox.outbox)
    return placed, stuck


def _place_set(inbox: InboxSettings, plan: Planned) -> None:
    waiting = [planned for planned in plan.reservation.outputs if planned.path not in plan.standing]
    if not waiting:
        return
    folder = make_folders(inbox.outbox, os.path.dirname(os.path.relpath(waiting[0].path, os.fsencode(inbox.outbox))))
    ready = []
    for planned in waiting:
        ASIDE.before()
        tag = f"{plan.reservation.media_id}-{planned.format}"
        ready.append((planned, write_aside(folder, tag, plan.rendered.texts[planned.format])))
        ASIDE.effect()
    try:
        for planned, aside in ready:
            PLACE.before()
            (replace if planned.replaces else place)(aside, planned.path)
            PLACE.effect()
    except FileExistsError:
        for _, aside in ready:
            Path(os.fsdecode(aside)).unlink(missing_ok=True)
        raise


def _write_error_file(inbox: InboxSettings, media: OwedMedia, path: bytes, now: float) -> bytes:
    failure = Failure(
        media.code or "unknown",
        media.message or "",
        media.remedy or "",
        media.request_id,
        media.task_id,
        media.attempts,
    )
    folder = make_folders(inbox.failed, os.path.dirname(os.path.relpath(path, os.fsencode(inbox.failed))))
    ERROR_FILE.before()
    replace(write_aside(folder, f"{media.media_id}-error", error_json(failure, media.inbox, media.path, now)), path)
    ERROR_FILE.effect()
    return folder


def _sync(folders: Iterable[bytes], about: Path) -> None:
    with _folder_trouble(about):
        SYNC.before()
        for folder in folders:
            sync_folder(folder)
        SYNC.effect()


class _folder_trouble:
    """An OSError inside is an alarm for this folder; no file is charged with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise folder_fault(self._folder, error.__class__.__name__, error.strerror or str(error)) from error
