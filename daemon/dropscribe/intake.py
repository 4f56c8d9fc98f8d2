"""An inbox to taken files: events are hints, the full rescan against the ledger is the truth.

    event or rescan -> known already? -> first look -> (settle) -> second look, equal -> one read -> taken

One intake an inbox. An unsettled file is weather: it lives only in memory and is looked at anew after a restart.
"""

import asyncio
import contextlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import structlog

from dropscribe.clock import wait_for_event
from dropscribe.config.settings import InboxSettings
from dropscribe.errors import OutOfOrder
from dropscribe.folders import FolderGuard, inbox_trouble
from dropscribe.house import House
from dropscribe.ledger import intake, upkeep
from dropscribe.ledger.rows import KnownMedia, Taken
from dropscribe.model import Look
from dropscribe.scan import Candidate, Rules, inspect, walk
from dropscribe.settle import Tracker
from dropscribe.taking import Taker
from dropscribe.watch import FolderWatch, RescanPace, probe_name, remove_probe, send_probe

log = structlog.get_logger()
WatchFactory = Callable[[InboxSettings, Callable[[bytes], None], Callable[[str], None]], FolderWatch]
Value = TypeVar("Value")

CHUNK = 500
"""Candidates compared with the ledger at a time."""
LONGEST_QUIET = 3600.0
LONGEST_PAUSE = 5.0
REST = 3.0
"""A scan is followed by a rest of this many times its cost, whatever asks for the next one."""
CAPACITY = 20_000
"""Files that settle at the same time; the next rescan brings the others."""


def is_new(look: Look, known: KnownMedia | None, keeps: bool, has_error_file: Callable[[KnownMedia], bool]) -> bool:
    """Whether a file that lies in an inbox is to be taken: pure but for `has_error_file`.

    `keeps`: sources stay in this inbox, so one that was delivered or failed lies there rightly.
    """
    if known is None or known.state == "withdrawn":
        return True
    if known.state == "delivered":
        return not keeps or look != known.look
    if known.state == "failed":
        return not keeps or look != known.look or not has_error_file(known)
    return look != known.look


class Intake:
    """Takes what settles in one inbox."""

    def __init__(
        self,
        name: str,
        house: House,
        skip: Callable[[], Sequence[Path]],
        threads: Executor,
        on_taken: Callable[[str, Taken], None],
        watch: WatchFactory | None,
        capacity: int = CAPACITY,
    ) -> None:
        """`skip` gives the folders that are never scanned. Without `watch` (`run --once`) only what lies in the inbox
        at the first scan is taken. No more than `capacity` files settle at the same time.
        """
        self._name = name
        self._skip = skip
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._new_watch = watch
        self._watch: FolderWatch | None = None
        self._pace = RescanPace(house.inboxes[name].rescan)
        self._cost = 0.0
        self._tracker = Tracker(house.inboxes[name].settle, capacity)
        self._hints: set[bytes] = set()
        self._scan_at = 0.0
        self._overflow = False
        self._taker = Taker(name, house, threads, self._tracker, on_taken)
        self._probe = probe_name(self._ledger.id, name)
        self.first_scan_done = False
        self.begun = asyncio.Event()
        """The folders are made, or out of order, or hang: nobody needs to wait for them any longer."""
        self.wake = asyncio.Event()

    @property
    def settling(self) -> int:
        """Files that are looked at and not taken yet."""
        return len(self._tracker)

    @property
    def settled_down(self) -> bool:
        """Whether everything that lay here at the first scan is taken (`run --once`)."""
        return self.first_scan_done and not self._tracker and not self._overflow and not self._taker.busy

    @property
    def alarms(self) -> frozenset[str]:
        """Scopes beside its own folder's that nobody else will end."""
        return self._taker.alarms

    def hint(self, path: bytes) -> None:
        """An event: something is to be looked at. Called in the event loop."""
        if self._pace.saw(path):
            return
        self._hints.add(path)
        self.wake.set()

    def doubt(self, reason: str) -> None:
        """Events were lost, or could have been: the next rescan is now. Called in the event loop."""
        log.debug("watch.doubt", inbox=self._name, reason=reason)
        self._pace.doubt()
        self._scan_at = min(self._scan_at, self._clock.monotonic() + self._short_rest)
        self.wake.set()

    def stop(self) -> None:
        """No file is read on, no event is heard."""
        self._taker.stop()
        if self._watch is not None:
            self._watch.stop()

    async def run(self) -> None:
        """Take files until cancelled."""
        root = os.fsencode(self._house.inboxes[self._name].inbox)
        try:
            await self._ledger.do(upkeep.remember_inbox, self._name, root)
            await self._see_folders()
        finally:
            self.begun.set()
        while True:
            try:
                await self._round()
            except OutOfOrder as fault:
                await self._scopes.report(fault)
                await self._scopes.passage(fault.scope)
                self._scan_at = 0.0
            else:
                await wait_for_event(self.wake, self._clock, self._until_next())

    @property
    def _inbox(self) -> InboxSettings:
        return self._house.inboxes[self._name]

    async def _see_folders(self) -> None:
        """Remember where files are to go before any goes there: a disk that is unmounted meanwhile would be taken for
        a folder never seen. A share that hangs is not waited for: what comes in is taken all the same.
        """
        seen = asyncio.Event()
        looking = asyncio.create_task(self._in_thread(self._look_at_folders))
        looking.add_done_callback(lambda _: seen.set())
        if await wait_for_event(seen, self._clock, LONGEST_PAUSE):
            looking.result()

    def _look_at_folders(self) -> None:
        """What is out of order now is said when the folder is needed. The inbox first: people drop files at once."""
        inbox = self._inbox
        for folder in (inbox.inbox, inbox.outbox, inbox.done, inbox.failed):
            if isinstance(folder, Path):
                with contextlib.suppress(OutOfOrder):
                    self._house.guard(folder).check()

    async def _round(self) -> None:
        inbox = self._inbox
        await self._in_thread(self._house.guard(inbox.inbox).check)
        if self._clock.monotonic() >= self._scan_at:
            await self._rescan(inbox)
        if self._hints:
            hints, self._hints = self._hints, set()
            await self._in_thread(lambda: self._first_looks(inbox, hints))
            if self._overflow:  # where events are proven, the next rescan may be a long time off
                self._scan_at = min(self._scan_at, self._clock.monotonic() + inbox.settle)
        try:
            await self._taker.second_looks(inbox)
        except OutOfOrder:
            self._overflow = True  # the next scan must come, also in `run --once`
            raise
        await self._taker.let_go()
        await self._scopes.works(f"folder:{inbox.inbox}")

    def _until_next(self) -> float:
        due = self._tracker.next_due()
        times = [self._scan_at] if due is None else [self._scan_at, due]
        return max(0.01, min(times) - self._clock.monotonic())

    @property
    def _short_rest(self) -> float:
        """Seconds between two scans of which the second is wanted at once."""
        return min(LONGEST_PAUSE, REST * self._cost)

    def _long_rest(self, inbox: InboxSettings) -> float:
        """Seconds between two scans where nothing asks for the second."""
        return inbox.settle if self._overflow else max(self._pace.interval, REST * self._cost)

    async def _rescan(self, inbox: InboxSettings) -> None:
        if self._new_watch is None and self.first_scan_done and not self._overflow:
            self._scan_at = self._clock.monotonic() + LONGEST_QUIET
            return
        await self._mend_watch()
        before = self._clock.monotonic()
        self._overflow, self._scan_at = False, math.inf
        await self._in_thread(lambda: self._scan(inbox))
        now = self._clock.monotonic()
        self._cost = now - before
        self._pace.scanned(self._cost)
        self._pace.stalled(now)
        doubted = self._scan_at < math.inf  # meanwhile, and maybe of a folder that the scan had passed already
        self._scan_at = now + (self._short_rest if doubted else self._long_rest(inbox))
        self.first_scan_done = True
        if self._new_watch is not None:
            await self._keep_watching(inbox, self._new_watch)

    async def _mend_watch(self) -> None:
        """Begin a watch that ended, or could not see all, anew: before a scan, which finds what comes between the two,
        and settles the doubt of one that cannot see all now either. That doubt would ask for the next scan at once.
        """
        if self._watch is not None and self._watch.wanted and not self._watch.trusted:
            await self._in_thread(self._watch.stop)
            await self._in_thread(self._watch.start)

    async def _keep_watching(self, inbox: InboxSettings, new_watch: WatchFactory) -> None:
        """Begin to watch once the folder is known to be there; prove that events arrive."""
        if self._watch is None:
            self._watch = await self._in_thread(lambda: new_watch(inbox, self.hint, self.doubt))
            await self._in_thread(self._watch.start)
            self.doubt("watching began: what came since the scan is looked for")
        elif self._watch.trusted:
            self._pace.probe_sent(self._probe, self._clock.monotonic())
            with contextlib.suppress(OSError):  # an inbox that is not ours to write: its events stay unproven
                await self._in_thread(lambda: send_probe(inbox.inbox, self._probe))

    def _scan(self, inbox: InboxSettings) -> None:
        """Every candidate that the ledger does not know gets its first look. In a thread, while nothing else tracks."""
        if not self.first_scan_done:
            remove_probe(inbox.inbox, self._probe)
        rules = Rules(inbox.include, inbox.exclude)
        with inbox_trouble(inbox.inbox):
            entries = walk(inbox.inbox, self._skip(), rules)
            candidates = (entry for entry in entries if isinstance(entry, Candidate))
            for chunk in _chunks(candidates, CHUNK):
                self._see(inbox, chunk)

    def _first_looks(self, inbox: InboxSettings, paths: Iterable[bytes]) -> None:
        rules = Rules(inbox.include, inbox.exclude)
        with inbox_trouble(inbox.inbox):
            entries = (inspect(inbox.inbox, path, self._skip(), rules) for path in paths)
            candidates = (entry for entry in entries if isinstance(entry, Candidate))
            for chunk in _chunks(candidates, CHUNK):
                self._see(inbox, chunk)

    def _see(self, inbox: InboxSettings, chunk: Sequence[Candidate]) -> None:
        known = self._ledger.look_now(intake.known, inbox.name, [candidate.path for candidate in chunk])
        keeps = inbox.done == "keep"
        error_files = ErrorFiles(self._house.guard(inbox.failed))
        now = self._clock.monotonic()
        for candidate in chunk:
            if is_new(candidate.look, known.get(candidate.path), keeps, error_files.stands) and not self._tracker.see(
                candidate.path, candidate.look, now
            ):
                self._overflow = True

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _chunks(items: Iterator[Value], size: int) -> Iterator[list[Value]]:
    while chunk := list(islice(items, size)):
        yield chunk


class ErrorFiles:
    """Which failed files have their error file. Where failed/ is missing or unmounted, its absence says nothing."""

    def __init__(self, failed: FolderGuard) -> None:
        self._failed = failed
        self._trusted = True

    def stands(self, known: KnownMedia) -> bool:
        """Whether the error file stands, or must be taken to."""
        if _has_error_file(known):
            return True
        return not self._is_in_order() or _has_error_file(known) or not self._is_in_order()

    def _is_in_order(self) -> bool:
        if self._trusted:
            try:
                self._failed.check()
            except OutOfOrder:
                self._trusted = False
        return self._trusted


def _has_error_file(known: KnownMedia) -> bool:
    return known.error_file is not None and os.path.lexists(known.error_file)
