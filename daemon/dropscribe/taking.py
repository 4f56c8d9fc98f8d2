"""Settled files to taken ones.

second look, equal -> one read -> (adopted, or held back, where sources are kept) -> taken
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import structlog

from dropscribe.adopting import Adopting
from dropscribe.boundaries import Step
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.kept_open import folders_kept_open
from dropscribe.disk.sources import Stopped, look_at
from dropscribe.errors import OutOfOrder, SourceChanged
from dropscribe.folders import inbox_trouble
from dropscribe.hashing import StillOpen, take
from dropscribe.house import House
from dropscribe.ledger import intake
from dropscribe.ledger.rows import NewMedia, Taken
from dropscribe.model import LARGEST_MEDIA, Failure, Fingerprint, Look
from dropscribe.names import display, suffix_of
from dropscribe.packing import size_class
from dropscribe.settle import Settled, Tracker

log = structlog.get_logger()
Value = TypeVar("Value")

TAKE = Step("intake.take", "before", "recorded")

READ_AT_ONCE = 32

TOO_LARGE = Failure(
    "FILE_TOO_LARGE",
    "the file is larger than 2 GB, the most that the service takes",
    "cut the recording, or convert it to a smaller format, and drop it again",
)


class Taker:
    """Takes what settles in one inbox."""

    def __init__(
        self, name: str, house: House, threads: Executor, tracker: Tracker, on_taken: Callable[[str, Taken], None]
    ) -> None:
        self._name = name
        self._ledger, self._clock = house.ledger, house.clock
        self._threads = threads
        self._tracker = tracker
        self._on_taken = on_taken
        self._stopping = False
        self._unreadable: set[bytes] = set()
        self._adopting = Adopting(name, house, threads, self._hold)
        self.busy = False
        """Whether files are being taken."""

    @property
    def alarms(self) -> frozenset[str]:
        """Scopes that only what is taken here has found out of order."""
        return self._adopting.alarms

    def stop(self) -> None:
        """No file is read on."""
        self._stopping = True

    async def let_go(self) -> None:
        """Forget held files that do not wait any more."""
        await self._adopting.let_go(self._tracker)

    async def second_looks(self, inbox: InboxSettings) -> None:
        """Take what is due.

        Raises:
            OutOfOrder: the folder failed midway; what was not taken is tracked no more, for the next scan to find.
        """
        due = self._tracker.due(self._clock.monotonic())
        self.busy = bool(due)
        for begin in range(0, len(due), READ_AT_ONCE):
            try:
                await self._second_look(inbox, due[begin : begin + READ_AT_ONCE])
            except OutOfOrder:
                for path in due[begin:]:
                    self._tracker.forget(path)
                self.busy = False
                raise
        self.busy = False

    async def _second_look(self, inbox: InboxSettings, chunk: Sequence[bytes]) -> None:
        settled = await self._in_thread(lambda: self._look_again(inbox, chunk))
        found = await self._in_thread(lambda: self._read(inbox, settled))
        await self._take(inbox, found)

    @folders_kept_open()
    def _look_again(self, inbox: InboxSettings, paths: Sequence[bytes]) -> list[tuple[bytes, Look]]:
        settled = []
        with inbox_trouble(inbox.inbox):
            for path in paths:
                seen = look_at(inbox.inbox, path)
                look = seen if isinstance(seen, Look) else None
                verdict = self._tracker.second_look(path, look, self._clock.monotonic())
                if isinstance(verdict, Settled):
                    settled.append((path, verdict.look))
        return settled

    @folders_kept_open()
    def _read(
        self, inbox: InboxSettings, settled: Sequence[tuple[bytes, Look]]
    ) -> list[tuple[bytes, Fingerprint | Look]]:
        """The fingerprint of each settled file; its look where it is too large to be worth reading."""
        found: list[tuple[bytes, Fingerprint | Look]] = []
        with inbox_trouble(inbox.inbox):
            for path, look in settled:
                outcome = look if look.size > LARGEST_MEDIA else self._fingerprint(inbox, path, look)
                if outcome is not None:
                    found.append((path, outcome))
        return found

    def _fingerprint(self, inbox: InboxSettings, path: bytes, look: Look) -> Fingerprint | None:
        """None where the file is not to be had now: it changes, it cannot be read, or we are stopping."""
        try:
            held = self._adopting.fingerprint(path, look)
            return held or take(inbox.inbox, path, look, lambda: self._stopping)
        except (StillOpen, SourceChanged) as unfinished:
            log.debug("file.unfinished", inbox=self._name, path=display(path), reason=str(unfinished))
            seen = look_at(inbox.inbox, path)
            if isinstance(seen, Look):
                self._tracker.restart(path, seen, self._clock.monotonic())
        except Stopped:
            pass
        except OSError as error:  # one bad file must not stop the others; a bad folder shows at the next look
            os.stat(inbox.inbox)
            if path not in self._unreadable:
                self._unreadable.add(path)
                log.warning("file.unreadable", inbox=self._name, path=display(path), reason=error.strerror)
        return None

    async def _take(self, inbox: InboxSettings, found: Sequence[tuple[bytes, Fingerprint | Look]]) -> None:
        now = self._clock.now()
        for path, look in found:
            if isinstance(look, Look):
                await asyncio.shield(self._record_too_large(path, look, now))
        files = [
            NewMedia(path, fingerprint, inbox.recipe, suffix_of(path), size_class(fingerprint.look.size))
            for path, fingerprint in found
            if isinstance(fingerprint, Fingerprint)
        ]
        if inbox.done == "keep":
            files = await self._adopting.to_take(inbox, files)
        if not files:
            return
        TAKE.before()
        await asyncio.shield(self._record(files, now))
        TAKE.recorded()

    # A reload may end this intake while the ledger writes. What is written then has to be told all the same: for the
    # next intake such a file is known, so nobody else would wake who goes on with it.

    async def _record_too_large(self, path: bytes, look: Look, now: float) -> None:
        await self._ledger.do(intake.take_failed, self._name, path, look, TOO_LARGE, now)
        self._on_taken(self._name, Taken(path, "refused", False))

    async def _record(self, files: Sequence[NewMedia], now: float) -> None:
        for taken in await self._ledger.do(intake.take, self._name, files, now):
            joins = None if taken.new else taken.recognition
            log.info("file.taken", inbox=self._name, path=display(taken.path), joins=joins)
            self._on_taken(self._name, taken)

    def _hold(self, new: NewMedia) -> None:
        self._tracker.restart(new.path, new.fingerprint.look, self._clock.monotonic())

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
