"""A recognition's bytes to a stored object under a recorded, anonymous key.

    claim (key recorded) -> open the source without following links -> put, or parts -> compare checksums -> uploaded

What was recognised is bound to what was taken: the storage's CRC-64 of the object must be that of the one read in which
the file was taken, so a file that changes under the upload can never be paid for under another content's name.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import structlog

from dropscribe.alone import Alone
from dropscribe.boundaries import Step
from dropscribe.carry import SMALL, Carrier, Cut
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder, Refused, SourceChanged, TryLater
from dropscribe.house import House
from dropscribe.ledger import judgements, uploads
from dropscribe.ledger.rows import Source, UploadJob
from dropscribe.model import DOWNLOADS, STORAGE, UPLOADS, Failure
from dropscribe.names import called, display
from dropscribe.opening import Unreadable
from dropscribe.remote.policy import slow_wait
from dropscribe.scopes import Blame

log = structlog.get_logger()

CLAIM = Step("upload.claim", "before", "recorded")

STOP_WITHIN = 2.0
LOOK_AGAIN = 1.0
AHEAD = 16
"""Files that are claimed for each upload in flight; the next are claimed when half of them are done, in one group."""
TOGETHER = 8
"""Small files that share a thread's turn, at most."""


async def _nothing_measured(_: Collection[str]) -> Mapping[int, float | None]:
    return {}


class Uploader:
    """Keeps up to `storage.uploads` files in flight and records each object when its checksum agrees."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        on_ready: Callable[[], None],
        on_refused: Callable[[], None],
        on_doomed: Callable[[], None],
        blame: Blame,
        measure: Callable[[Collection[str]], Awaitable[Mapping[int, float | None]]] = _nothing_measured,
    ) -> None:
        """`on_ready` is called when an object stands, `on_refused` when files have failed, `on_doomed` when objects may
        have to go; `blame` tells a dead storage from one upload that fails; `measure` gives durations, by recognition,
        of what is claimed next outside of the given inboxes.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._on_ready, self._on_refused, self._on_doomed = on_ready, on_refused, on_doomed
        self._blame = blame
        self._alone = Alone()
        self._carrier = Carrier(house, threads)
        self._measure = measure
        self._shut: set[str] = set()  # folders that only we may have said to be out of order
        self._passed_over = False
        self._claimed_at = 0.0
        self._running: dict[asyncio.Task[None], int] = {}
        """Each with how many files it carries."""
        self.wake = Wake()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def run(self) -> None:
        """Claim and upload until cancelled."""
        while True:
            window = self._settings.storage.uploads * AHEAD
            free = window - sum(self._running.values())
            if free < window // 2:
                await wait_for_event(self.wake, self._clock, None)
                continue
            jobs = await self._claim(free)
            self._start_all(jobs)
            if not jobs:
                await self._pause()

    async def stop(self) -> None:
        """Cut what is in flight; parts that stand are found again."""
        self._carrier.stop()
        for task in self._running:
            task.cancel()
        if self._running:  # a thread that waits for the storage's answer is not waited for
            await asyncio.wait(self._running, timeout=STOP_WITHIN)

    async def _claim(self, free: int) -> list[UploadJob]:
        shut = self._shut_inboxes()
        self._passed_over = bool(shut)
        self._claimed_at = self._clock.now()
        measured = await self._measure(shut)
        if any(self._scopes.opened_by(name) for name in (STORAGE, DOWNLOADS, UPLOADS)):
            if not await self._ledger.look(uploads.any_needed, self._claimed_at, shut):
                await self._close_if_idle()
                return []  # leave the try to somebody who has something to try with
            await self._scopes.passage(STORAGE, DOWNLOADS, UPLOADS)
        one_by_one = self._scopes.opened_by(UPLOADS) is not None
        CLAIM.before()
        jobs = await self._ledger.do(
            uploads.claim,
            1 if one_by_one else free,
            self._claimed_at,
            self._ledger.epoch,
            self._new_key,
            self._settings.storage.multipart_above,
            uploads.Turns(shut, rested_first=one_by_one),
            measured,
        )
        CLAIM.recorded()
        if not jobs:
            self._scopes.release(UPLOADS)
            if measured:  # none of these may be paid for now; the next may be
                self.wake.set()
        return jobs

    async def _close_if_idle(self) -> None:
        """What failed is gone: nobody is left to show that the way is good."""
        if self._scopes.opened_by(UPLOADS) and not await self._ledger.look(uploads.any_underway):
            await self._scopes.works(UPLOADS)

    def _shut_inboxes(self) -> list[str]:
        """Inboxes that cannot be read now, and are not due for another try."""
        inboxes = self._house.inboxes.items()
        return [name for name, inbox in inboxes if self._scopes.wait(f"folder:{inbox.inbox}") > 0]

    async def _pause(self) -> None:
        if not self._running:
            self._on_ready()
        due = await self._ledger.look(uploads.next_wait, self._claimed_at)  # what became due since then counts, too
        times = [] if due is None else [due - self._clock.now()]
        if self._passed_over:  # nobody says when their inbox is back: look again soon
            times.append(LOOK_AGAIN)
        timeout = min(times, default=None)
        await wait_for_event(self.wake, self._clock, timeout if timeout is None else max(0.05, timeout))

    def _new_key(self, suffix: str) -> str:
        name = f"{self._settings.storage.prefix}{self._ledger.id}/{secrets.token_hex(16)}"
        return f"{name}.{suffix}" if suffix else name

    def _start_all(self, jobs: Sequence[UploadJob]) -> None:
        small: list[UploadJob] = []
        for job in jobs:
            if job.size <= SMALL and job.sources and not job.multipart:
                small.append(job)
            else:
                self._start(self._upload(job), 1)
        together = min(TOGETHER, -(-len(small) // self._settings.storage.uploads))
        for group in _groups(small, together):
            self._start(self._upload_together(group), len(group))

    def _start(self, upload: Coroutine[Any, Any, None], files: int) -> None:
        task = asyncio.create_task(upload)
        self._running[task] = files
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("upload.bug", exc_info=error)

    async def _upload_together(self, jobs: Sequence[UploadJob]) -> None:
        """Those that did not come through, or were not tried, go their own ways."""
        try:
            tried = await self._carrier.carry_together(jobs)
        except Exception as bug:
            tried = [bug] * len(jobs)  # each is put back by its own way
        good = [job for job, outcome in zip(jobs, tried, strict=False) if outcome is None]
        left: list[tuple[UploadJob, Exception | None]] = [(job, None) for job in jobs[len(tried) :]]
        left += [(job, outcome) for job, outcome in zip(jobs, tried, strict=False) if outcome is not None]
        try:
            # While one was out of order, others may have found the way shut: what came before proves nothing any more.
            await self._stand(good, proves=not any(isinstance(outcome, OutOfOrder) for outcome in tried))
        except Exception as bug:
            left += [(job, bug) for job in good]
        for job, outcome in left:
            self._start(self._upload(job, outcome), 1)

    async def _upload(self, job: UploadJob, tried: Exception | None = None) -> None:
        """`tried`: what came of its first source, where that was tried already."""
        try:
            await self._first_good_source(job, tried)
        except OutOfOrder as fault:
            try:
                await self._out_of_order(job, fault)
            except TryLater as its_own:
                await self._try_later(job, its_own)
        except TryLater as fault:
            await self._try_later(job, fault)
        except Refused as fault:
            await self._refuse(job, fault.code, self._house.clean(fault.message), fault.remedy)
        except Cut:
            await self._ledger.do(uploads.put_back, job.recognition_id, self._clock.now())
        except Exception:
            wait = self._clock.now() + self._settings.retry.longest_wait
            await self._ledger.do(uploads.put_back, job.recognition_id, wait)
            raise
        finally:
            self._scopes.release(UPLOADS)  # a try whose outcome says nothing about the way
            self._on_doomed()

    async def _out_of_order(self, job: UploadJob, fault: OutOfOrder) -> None:
        """The storage's scope holds all claims back; a folder's only its own files: the ledger lets them wait."""
        fault = await self._blame(fault, UPLOADS)
        wait = 0.0
        if fault.scope == UPLOADS:
            wait = self._its_own(job, fault)
        elif fault.scope != STORAGE:
            self._shut.add(fault.scope)
            wait = max(self._settings.retry.first_wait, self._scopes.wait(fault.scope))
        await self._scopes.report(fault)
        await self._ledger.do(uploads.put_back, job.recognition_id, self._clock.now() + wait)

    def _its_own(self, job: UploadJob, fault: OutOfOrder) -> float:
        """Seconds for which this file lets others go first, for the fault may be its own.

        Raises:
            TryLater: others came through since it failed last, and it gets no further: it is charged.
        """
        its_own, times = self._alone.failed(job.recognition_id), self._alone.times(job.recognition_id)
        if job.recognition_id in self._carrier.further:  # its parts stand: a large file over a flaky line
            self._carrier.further.discard(job.recognition_id)
            self._alone.forget(job.recognition_id)
        elif its_own:
            raise TryLater(fault.code, fault.message)
        retry = self._settings.retry
        return slow_wait(times, retry.first_wait, retry.longest_wait, 0.5)

    async def _first_good_source(self, job: UploadJob, tried: Exception | None) -> None:
        lost: list[tuple[int, str]] = []
        trouble: OutOfOrder | TryLater | None = None
        for source in job.sources:
            try:
                if tried is not None:
                    fault, tried = tried, None
                    raise fault
                await self._carrier.carry(job, source)
                await self._stand([job], source)
            except SourceChanged as changed:
                lost.append((source.media_id, str(changed)))
            except Unreadable as unreadable:
                if trouble is None or isinstance(unreadable.fault, OutOfOrder):
                    trouble = unreadable.fault
            else:
                return
        if trouble is not None:
            raise trouble
        await self._ledger.do(uploads.source_lost, job, lost, self._clock.now())
        paths = {source.media_id: (source.inbox, source.path) for source in job.sources}
        for media_id, reason in lost:
            log.info("source.withdrawn", **called([paths[media_id]]), reason=reason)

    async def _stand(self, jobs: Sequence[UploadJob], source: Source | None = None, proves: bool = True) -> None:
        """Their objects stand, each from its first source unless another is given. `proves`: so the way is good now."""
        if not jobs:
            return
        done = [(job.recognition_id, job.multipart) for job in jobs]
        wanted = await self._ledger.do(uploads.all_uploaded, done, self._clock.now())
        for job in jobs:
            origin = source or job.sources[0]
            if proves:
                await self._works(job, origin)
            if job.recognition_id in wanted:
                self._carrier.recorded(job)
                log.info("file.uploaded", inbox=origin.inbox, path=display(origin.path), bytes=job.size)
        self._on_ready()
        self._on_doomed()

    async def _works(self, job: UploadJob, source: Source) -> None:
        self._alone.worked(job.recognition_id)
        self._carrier.further.discard(job.recognition_id)
        for scope in (STORAGE, UPLOADS):
            await self._scopes.works(scope)
        folder = f"folder:{self._house.inboxes[source.inbox].inbox}"
        if folder in self._shut:  # the inbox may have no intake any more that would say so
            self._shut.discard(folder)
            await self._scopes.works(folder)

    async def _try_later(self, job: UploadJob, fault: TryLater) -> None:
        fault.message = self._house.clean(fault.message)
        retry = self._settings.retry
        if job.attempts + 1 >= min(retry.attempts, 1 + (fault.bound or retry.attempts)):
            await self._refuse(job, fault.code, fault.message, "`dropscribe retry` tries it again")
            return
        wait = slow_wait(job.attempts, retry.first_wait, retry.longest_wait, secrets.SystemRandom().random())
        until = self._clock.now() + wait
        await self._ledger.do(uploads.charge, job.recognition_id, fault.code, fault.message, until)
        names = called([(source.inbox, source.path) for source in job.sources])
        log.warning("upload.again", **names, code=fault.code, message=fault.message, retry_in=round(wait, 1))

    async def _refuse(self, job: UploadJob, code: str, message: str, remedy: str) -> None:
        failure = Failure(code, message, remedy, attempts=job.attempts + 1)
        await self._ledger.do(judgements.refused_before_submit, job.recognition_id, failure, self._clock.now())
        self._on_refused()


def _groups(jobs: Sequence[UploadJob], most: int) -> Iterator[list[UploadJob]]:
    """Files of one inbox each: a share that hangs holds up no files but its own."""
    of_inbox: dict[str, list[UploadJob]] = {}
    for job in jobs:
        of_inbox.setdefault(job.sources[0].inbox, []).append(job)
    for own in of_inbox.values():
        for begin in range(0, len(own), most):
            yield own[begin : begin + most]
