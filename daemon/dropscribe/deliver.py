"""Answers to files: outputs into place, whole; then the source to where it belongs.

    owed -> render -> names reserved in the ledger -> aside, synced -> placed, synced -> JSON placed -> folders synced
         -> source hidden, proved to be the very file that was heard, placed in done/ -> folders synced -> delivered
    failing -> names reserved -> error file placed, synced -> source placed in failed/ -> folders synced -> failed
    either -> error files of earlier versions removed

One deliverer an inbox, so that a slow or missing folder stops no other. Files go in groups, which share their syncs; a
group that fails goes again file by file, so that one bad file holds nobody up. The two ways do not wait for
each other.
"""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from dropscribe.boundaries import Step
from dropscribe.choosing import Chooser, Claims
from dropscribe.clock import wait_for_event
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.kept_open import folders_kept_open
from dropscribe.disk.moving import Unsynced
from dropscribe.disk.sources import Stopped
from dropscribe.dispose import Disposal, MoveTo, Stay
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import deliveries
from dropscribe.ledger.rows import OwedMedia, Reservation, StaleWrite
from dropscribe.model import Document, Failure
from dropscribe.names import display
from dropscribe.placement import dispose, moving_scope, place_all, sync_moves, write_error_files
from dropscribe.planning import Rendered, way_of
from dropscribe.render import render_all
from dropscribe.stale import StaleReasons
from dropscribe.transcript import UnusableResult, parse

log = structlog.get_logger()
Value = TypeVar("Value")

RESERVE = Step("deliver.reserve", "before", "recorded")
DELIVERED = Step("deliver.delivered", "before", "recorded")
FAILED = Step("deliver.failed", "before", "recorded")

GROUP = 64
LONGEST_OBSTACLE = 60.0
LONGEST_REST = 1.0
"""Seconds between two looks at a scope that others may close."""
BUG = "a bug in dropscribe; see the log"


@dataclass
class _Work:
    """One of the two things that files are owed, and the scopes that its last tries found out of order."""

    states: tuple[str, ...]
    settle: Callable[[Sequence[OwedMedia]], Awaitable[None]]
    trouble: set[str] = field(default_factory=set)


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
        self._outputs = _Work(("due", "delivering"), self._deliver)
        self._failures = _Work(("failing",), self._fail)
        self._chooser = Chooser(house.ledger, threads)
        self._stale = StaleReasons(name, house, threads)
        self._stopping = False
        self._obstructed: dict[int, str] = {}
        self._unplaced: dict[int, frozenset[bytes]] = {}
        self.wake = asyncio.Event()

    @property
    def _inbox(self) -> InboxSettings:
        return self._house.inboxes[self._name]

    def _is_stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        """End after the group that is being placed; a source that is just copied to another disk is left for later."""
        self._stopping = True
        self.wake.set()

    def taken_again(self, path: bytes) -> None:
        """What failed at this path before has another try: its error file is to go."""
        self._stale.suspect([path])
        self.wake.set()

    async def run(self) -> None:
        """Deliver until stopped or cancelled."""
        while not self._stopping:
            now = self._clock.now()
            rests = [await self._round(work, now) for work in (self._outputs, self._failures)]
            rests.append(await self._stale.round())
            if 0.0 in rests:
                continue
            due = await self._ledger.look(deliveries.next_owed, self._name, now)
            times = [rest for rest in (*rests, None if due is None else due - now) if rest is not None]
            await wait_for_event(self.wake, self._clock, max(0.05, min(times)) if times else None)

    async def _round(self, work: _Work, now: float) -> float | None:
        """Settle one group; seconds until the next try: 0 at once, None where nothing is owed now."""
        group = await self._ledger.look(deliveries.owed, self._name, GROUP, now, work.states)
        if not group:
            return None
        if not self._scopes.may_pass(*work.trouble):
            return min(LONGEST_REST, max(0.05, self._scopes.wait(*work.trouble)))
        try:
            await self._settle(work, group, now)
        except OutOfOrder as fault:
            work.trouble.add(fault.scope)
            await self._scopes.report(fault)
            self._scopes.release(*work.trouble - {fault.scope})  # it was not they that failed, and others may try them
        else:
            await self._in_order(work, set(work.trouble))
            self._on_done()
        return 0.0

    async def _settle(self, work: _Work, group: Sequence[OwedMedia], now: float) -> None:
        try:
            return await work.settle(group)
        except OutOfOrder:
            raise
        except Exception as error:
            if len(group) == 1:
                return await self._hold_up(group[0], error)
        # Looked up anew: what the group has reserved before it failed belongs to each file's next try.
        for media in await self._ledger.look(deliveries.owed, self._name, GROUP, now, work.states):
            if not self._stopping:
                await self._settle(work, [media], now)
        return None

    async def _hold_up(self, media: OwedMedia, error: Exception) -> None:
        """One file could not be settled: it waits, unless a folder turns out to be at fault."""
        if isinstance(error, StaleWrite):
            return
        if isinstance(error, OSError):
            await self._in_thread(lambda: self._check_folders(self._inbox, media.state))
            await self._postpone({media.media_id: f"{display(media.path)}: {error.strerror or error}"})
            return
        log.error("deliver.bug", inbox=self._name, path=display(media.path), exc_info=error)
        until = self._clock.now() + self._house.settings.retry.longest_wait
        await self._ledger.do(deliveries.postpone, [media.media_id], BUG, until)
        await self._obstruct(media.media_id, OutOfOrder(f"deliver:{self._name}", "Bug", BUG, "report it"))

    async def _in_order(self, work: _Work, scopes: Iterable[str]) -> None:
        """These were used with success."""
        for scope in work.trouble.intersection(scopes):
            work.trouble.discard(scope)
            await self._scopes.works(scope)

    async def _deliver(self, group: Sequence[OwedMedia]) -> None:
        inbox = self._inbox
        await self._in_thread(lambda: self._check_folders(inbox, "due"))
        rendered = await self._render(group)
        claims = Claims()
        plans = await self._chooser.outputs(inbox, rendered, self._unplaced, claims)
        RESERVE.before()
        reservations = [plan.reservation for plan in plans]
        reserved = await self._ledger.do(deliveries.reserve, reservations, claims.given_up)
        RESERVE.recorded()
        stuck: dict[int, str | None] = {one.media_id: None for one in reservations if one.media_id not in reserved}
        ours = [plan for plan in plans if plan.reservation.media_id in reserved]
        placed, obstacles = await self._in_thread(lambda: place_all(inbox, ours, self._unplaced))
        if placed:
            await self._in_order(self._outputs, [f"folder:{inbox.outbox}"])
        pairs = [(plan.rendered.media, plan.reservation) for plan in placed]
        gone, fault = await self._send_away(self._outputs, inbox, pairs)
        await self._record([media for media, _ in pairs], gone)
        await self._postpone(stuck | obstacles | _not_final(gone))
        if fault is not None:
            raise fault

    async def _postpone(self, stuck: Mapping[int, str | None]) -> None:
        """Files that cannot be placed as planned: the next round plans anew; an obstacle gets time to be moved away."""
        for media_id, reason in stuck.items():
            wait = 0.5 if reason is None else min(LONGEST_OBSTACLE, self._house.settings.retry.longest_wait)
            await self._ledger.do(deliveries.postpone, [media_id], reason, self._clock.now() + wait)
            if reason is not None:
                remedy = "move it away; the other files go on"
                await self._obstruct(media_id, OutOfOrder(f"obstacle:{self._name}", "Obstacle", reason, remedy))

    async def _obstruct(self, media_id: int, why: OutOfOrder) -> None:
        self._obstructed[media_id] = why.scope
        await self._scopes.report(why)

    async def _cleared(self, finished: Iterable[int]) -> None:
        for media_id in finished:
            self._unplaced.pop(media_id, None)
            scope = self._obstructed.pop(media_id, None)
            if scope is not None and scope not in self._obstructed.values():
                await self._scopes.works(scope)

    async def _record(self, group: Sequence[OwedMedia], gone: Mapping[int, Disposal]) -> None:
        DELIVERED.before()
        finished = [(media_id, disposal.reason) for media_id, disposal in gone.items() if disposal.final]
        await self._ledger.do(deliveries.delivered, finished, self._clock.now())
        DELIVERED.recorded()
        await self._cleared(media_id for media_id, _ in finished)
        notes = dict(finished)
        self._stale.suspect(media.path for media in group if media.media_id in notes)
        for media in group:
            if media.media_id in notes:
                note = notes[media.media_id]
                log.info("file.delivered", inbox=self._name, path=display(media.path), note=note)

    async def _render(self, group: Sequence[OwedMedia]) -> list[Rendered]:
        ids = [media.recognition_id for media in group if media.recognition_id is not None]
        bodies = await self._ledger.look(deliveries.results, ids)
        inbox = self._inbox
        found = await self._in_thread(lambda: [_render_one(media, bodies, inbox) for media in group])
        for media, outcome in zip(group, found, strict=True):
            if isinstance(outcome, Failure):
                await self._ledger.do(deliveries.fail, media.media_id, outcome)
            elif outcome.notes:
                notes = list(outcome.notes)
                log.warning("file.rendered-otherwise", inbox=self._name, path=display(media.path), notes=notes)
        return [outcome for outcome in found if isinstance(outcome, Rendered)]

    async def _send_away(
        self, work: _Work, inbox: InboxSettings, pairs: Sequence[tuple[OwedMedia, Reservation]]
    ) -> tuple[dict[int, Disposal], OutOfOrder | None]:
        """What became of the sources, by media id, up to the first fault of a folder, or the stop."""
        gone: dict[int, Disposal] = {}
        used: set[str] = set()
        unsynced: Unsynced = {}

        def send_all() -> OutOfOrder | None:
            fault = send_each()
            try:
                sync_moves(inbox, unsynced)
            except OutOfOrder as trouble:
                gone.clear()  # none of the moves may be recorded; the next try finds them done
                return trouble
            return fault

        def send_each() -> OutOfOrder | None:
            for media, plan in pairs:
                way = way_of(inbox, media, plan.moved_to)
                try:
                    gone[media.media_id] = dispose(inbox, media, way, self._ledger.id, unsynced, self._is_stopping)
                except OutOfOrder as fault:
                    return fault
                except Stopped:
                    return None
                if not isinstance(way, Stay) and gone[media.media_id] == Disposal(True):
                    used.add(moving_scope(inbox))
                    used.update([f"folder:{way.root}"] if isinstance(way, MoveTo) else [])
            return None

        fault = await self._in_thread(send_all)
        await self._in_order(work, used - {fault.scope if fault is not None else ""})
        return gone, fault

    async def _fail(self, group: Sequence[OwedMedia]) -> None:
        inbox = self._inbox
        await self._in_thread(lambda: self._check_folders(inbox, "failing"))
        claims = Claims()
        plans = [await self._chooser.failure(inbox, media, claims) for media in group]
        RESERVE.before()
        reserved = await self._ledger.do(deliveries.reserve_failures, plans, claims.given_up)
        RESERVE.recorded()
        stuck: dict[int, str | None] = {plan.media_id: None for plan in plans if plan.media_id not in reserved}
        pairs = [pair for pair in zip(group, plans, strict=True) if pair[1].media_id in reserved]
        now = self._clock.now()
        told, obstacles = await self._in_thread(lambda: write_error_files(inbox, pairs, now))
        gone, fault = await self._send_away(self._failures, inbox, told)
        done = [media for media, _ in told if media.media_id in gone and gone[media.media_id].final]
        FAILED.before()
        finished = [(media.media_id, gone[media.media_id].reason) for media in done]
        await self._ledger.do(deliveries.failed, finished, now)
        FAILED.recorded()
        await self._cleared(media.media_id for media in done)
        self._stale.suspect(media.path for media in done)
        for media in done:
            path = display(media.path)
            log.warning("file.failed", inbox=self._name, path=path, code=media.code, message=media.message)
        await self._postpone(stuck | obstacles | _not_final(gone))
        if fault is not None:
            raise fault

    def _check_folders(self, inbox: InboxSettings, state: str) -> None:
        self._house.guard(inbox.inbox).check()
        if state == "failing":
            self._house.guard(inbox.failed).check()
            return
        self._house.guard(inbox.outbox).check()
        if isinstance(inbox.done, Path):
            self._house.guard(inbox.done).check()

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, folders_kept_open()(call))


def _render_one(media: OwedMedia, bodies: Mapping[int, bytes], inbox: InboxSettings) -> Rendered | Failure:
    body = bodies.get(media.recognition_id or 0)
    if body is None:
        return Failure("ResultForgotten", "its result is not kept any more", "`dropscribe retry` recognises it again")
    try:
        raw = gzip.decompress(body)
        transcript = parse(raw)
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
        raw=raw,
    )
    rendering = render_all(document, inbox.outputs, inbox.presentation)
    return Rendered(media, rendering.texts, rendering.notes)


def _not_final(gone: Mapping[int, Disposal]) -> dict[int, str | None]:
    return {media_id: disposal.reason for media_id, disposal in gone.items() if not disposal.final}
