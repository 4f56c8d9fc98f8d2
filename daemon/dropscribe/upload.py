"""A recognition's bytes to a stored object under a recorded, anonymous key.

    claim (key recorded) -> open the source without following links -> put, or parts -> compare checksums -> uploaded

What was recognised is bound to what was taken: the storage's CRC-64 of the object must be that of the one read in which
the file was taken, so a file that changes under the upload can never be paid for under another content's name.
"""

import asyncio
import contextlib
import errno
import os
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar, cast

import structlog

from dropscribe.alone import Alone
from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.disk.faults import is_disk_fault
from dropscribe.disk.sources import folder_at, look_of_stat, open_source
from dropscribe.errors import OutOfOrder, Refused, SourceChanged, TryLater
from dropscribe.folders import folder_fault
from dropscribe.house import House
from dropscribe.ledger import batches, uploads
from dropscribe.ledger.rows import Source, UploadJob
from dropscribe.model import DOWNLOADS, STORAGE, UPLOADS, Failure, Part
from dropscribe.names import display
from dropscribe.remote.policy import slow_wait
from dropscribe.remote.ports import NoSuchUpload
from dropscribe.scopes import Blame

log = structlog.get_logger()
Value = TypeVar("Value")

CLAIM = Step("upload.claim", "before", "recorded")
PUT = Step("upload.put")
BEGIN = Step("upload.begin-parts")
PUT_PART = Step("upload.put-part", "before", "effect")
COMPLETE = Step("upload.complete-parts")

SMALLEST_PART = 8 * 1024 * 1024
STOP_WITHIN = 2.0
LOOK_AGAIN = 1.0
MOST_PARTS = 9000  # the storage allows 10,000


GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})
"""What a file that vanished, or was replaced by a link or a pipe, answers to being opened."""
ITS_OWN = frozenset({errno.EACCES, errno.EPERM, errno.EIO})
"""What may be one file's own fault, where its folder is in order."""


class Unreadable(Exception):
    """One source cannot be read; another copy of the same content may do."""

    def __init__(self, fault: OutOfOrder | TryLater) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Cut(Exception):
    """The daemon is stopping: the reader refuses to go on, parts resume later."""


@dataclass
class Slice:
    """A read-only window of an open file for the HTTP client; raises Cut when the daemon stops."""

    fd: int
    start: int
    size: int
    stopping: Callable[[], bool]
    position: int = 0

    def read(self, amount: int = -1) -> bytes:
        if self.stopping():
            raise Cut
        left = self.size - self.position
        want = left if amount < 0 else min(amount, left)
        data = os.pread(self.fd, want, self.start + self.position) if want else b""
        if want and not data:
            raise SourceChanged("the file became shorter while it was uploaded")
        self.position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = max(0, min(self.size, base + offset))
        return self.position

    def tell(self) -> int:
        return self.position

    def __len__(self) -> int:
        return self.size


async def _nothing_measured(_: Collection[str]) -> Mapping[int, float | None]:
    return {}


class Slots:
    """So many requests at once; a reload may change the number."""

    def __init__(self) -> None:
        self._number = 0
        self._free = asyncio.Semaphore(0)

    def of(self, number: int) -> asyncio.Semaphore:
        """The slots, `number` of them; those that are taken when it changes are given back beside the new ones."""
        if number != self._number:
            self._number, self._free = number, asyncio.Semaphore(number)
        return self._free


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
        self._threads = threads
        self._on_ready, self._on_refused, self._on_doomed = on_ready, on_refused, on_doomed
        self._blame = blame
        self._alone = Alone()
        self._further: set[int] = set()
        self._measure = measure
        self._shut: set[str] = set()  # folders that only we may have said to be out of order
        self._stopping = False
        self._passed_over = False
        self._claimed_at = 0.0
        self._slots = Slots()
        self._running: set[asyncio.Task[None]] = set()
        self.wake = Wake()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def run(self) -> None:
        """Claim and upload until cancelled."""
        while True:
            window = self._settings.storage.uploads * 4
            jobs = await self._claim(window - len(self._running))
            for job in jobs:
                self._start(job)
            if not jobs or len(self._running) >= window:
                await self._pause()

    async def stop(self) -> None:
        """Cut what is in flight; parts that stand are found again."""
        self._stopping = True
        for task in self._running:
            task.cancel()
        if self._running:  # a thread that waits for the storage's answer is not waited for
            await asyncio.wait(self._running, timeout=STOP_WITHIN)

    async def _claim(self, free: int) -> list[UploadJob]:
        if free <= 0:
            return []
        shut = self._shut_inboxes()
        self._passed_over = bool(shut)
        self._claimed_at = self._clock.now()
        measured = await self._measure(shut)
        if any(self._scopes.opened_by(name) for name in (STORAGE, DOWNLOADS, UPLOADS)):
            if not await self._ledger.look(uploads.any_needed, self._claimed_at, shut):
                await self._close_if_idle()
                return []  # leave the try to somebody who has something to try with
            await self._scopes.passage(STORAGE, DOWNLOADS, UPLOADS)
            free = min(free, 1) if self._scopes.opened_by(UPLOADS) else free
        CLAIM.before()
        jobs = await self._ledger.do(
            uploads.claim,
            free,
            self._claimed_at,
            self._ledger.epoch,
            self._new_key,
            self._settings.storage.multipart_above,
            shut,
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

    def _start(self, job: UploadJob) -> None:
        task = asyncio.create_task(self._upload(job))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("upload.bug", exc_info=error)

    async def _upload(self, job: UploadJob) -> None:
        try:
            await self._first_good_source(job)
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
        if job.recognition_id in self._further:  # a large file over a flaky line: its parts stand, and nothing is lost
            self._further.discard(job.recognition_id)
            self._alone.forget(job.recognition_id)
        elif its_own:
            raise TryLater(fault.code, fault.message)
        retry = self._settings.retry
        return slow_wait(times, retry.first_wait, retry.longest_wait, 0.5)

    async def _first_good_source(self, job: UploadJob) -> None:
        lost: list[tuple[int, str]] = []
        trouble: OutOfOrder | TryLater | None = None
        for source in job.sources:
            try:
                await self._upload_from(job, source)
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
        for media_id, reason in lost:
            log.info("source.withdrawn", media=media_id, reason=reason)

    async def _upload_from(self, job: UploadJob, source: Source) -> None:
        crc = await (self._in_parts(job, source) if job.multipart else self._in_one(job, source))
        if crc != job.crc64:
            await self._ledger.do(uploads.upload_begun, job.key, None)
            raise TryLater("ChecksumMismatch", "the storage's checksum of the upload is not that of the file", bound=3)
        stands = await self._ledger.do(uploads.uploaded, job.recognition_id, job.multipart, self._clock.now())
        await self._works(job, source)
        if stands:
            (COMPLETE if job.multipart else PUT).recorded()
            log.info("file.uploaded", inbox=source.inbox, path=display(source.path), bytes=job.size)
            self._on_ready()

    async def _works(self, job: UploadJob, source: Source) -> None:
        self._alone.worked(job.recognition_id)
        self._further.discard(job.recognition_id)
        for scope in (STORAGE, UPLOADS):
            await self._scopes.works(scope)
        folder = f"folder:{self._house.inboxes[source.inbox].inbox}"
        if folder in self._shut:  # the inbox may have no intake any more that would say so
            self._shut.discard(folder)
            await self._scopes.works(folder)

    def _open(self, source: Source) -> int:
        """A descriptor of the very file that was taken; in a thread.

        Raises:
            SourceChanged: it is gone, or another one.
            Unreadable: it, or its inbox, is out of order.
        """
        inbox = self._house.inboxes.get(source.inbox)
        if inbox is None:
            raise SourceChanged("its inbox is not configured any more")
        try:
            fd = open_source(inbox.inbox, source.path)
        except OSError as error:
            raise self._trouble(source, error) from error
        try:
            _require_unchanged(fd, source)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise self._trouble(source, error) from error
            if (fault := self._folder_fault(inbox)) is not None:
                raise Unreadable(fault) from error
            raise
        return fd

    def _trouble(self, source: Source, error: OSError) -> Exception:
        """What an error of one source means: its folder is looked at first, for an unmounted one looks empty."""
        inbox = self._house.inboxes[source.inbox]
        if (fault := self._folder_fault(inbox)) is not None:
            return Unreadable(fault)
        if error.errno in GONE:
            return SourceChanged("it vanished before it was submitted")
        what = error.strerror or type(error).__name__
        if error.errno not in ITS_OWN and is_disk_fault(error):
            return Unreadable(folder_fault(inbox.inbox, errno.errorcode.get(error.errno or 0, "OSError"), what))
        return Unreadable(TryLater("SourceUnreadable", f"the file cannot be read: {what}"))

    def _folder_fault(self, inbox: InboxSettings) -> OutOfOrder | None:
        try:
            self._house.guard(inbox.inbox).check()
            with folder_at(inbox.inbox) as folder:
                os.stat(".", dir_fd=folder)
        except OutOfOrder as fault:
            return fault
        except OSError as error:
            return folder_fault(inbox.inbox, "FolderUnusable", error.strerror or str(error))
        return None

    async def _in_one(self, job: UploadJob, source: Source) -> int:
        async with self._slots.of(self._settings.storage.uploads):
            return await self._in_thread(lambda: self._put_whole(job, source))

    def _put_whole(self, job: UploadJob, source: Source) -> int:
        """One request; in a thread."""
        fd = self._open(source)
        try:
            PUT.before()
            crc = self._house.store.put(job.key, self._slice(fd, 0, job.size), job.size)
            PUT.effect()
            _require_unchanged(fd, source)
        except OSError as error:
            raise self._trouble(source, error) from error
        finally:
            os.close(fd)
        return crc

    async def _in_parts(self, job: UploadJob, source: Source) -> int:
        """Nothing of a source is touched in the event loop: its share may hang."""
        fd = await self._in_thread(lambda: self._open(source))
        try:
            crc = await self._parts_of(job, fd)
            await self._in_thread(lambda: _require_unchanged(fd, source))
        except OSError as error:
            fault = error
            raise await self._in_thread(lambda: self._trouble(source, fault)) from error
        finally:
            with contextlib.suppress(RuntimeError):  # the threads are closed: so is the process, soon
                self._threads.submit(os.close, fd)
        return crc

    async def _parts_of(self, job: UploadJob, fd: int) -> int:
        upload_id, standing = await self._resume(job)
        parts: list[Part] = []
        size = part_size(job.size)
        for number, start in enumerate(range(0, job.size, size), start=1):
            length = min(size, job.size - start)
            found = standing.get(number)
            if found is None or found.size != length:
                found = await self._put_part(job, upload_id, number, self._slice(fd, start, length))
            parts.append(found)
        return await self._complete(job, upload_id, parts)

    async def _resume(self, job: UploadJob) -> tuple[str, dict[int, Part]]:
        """Go on with an earlier try's parts; one that began and was never recorded is found by its key and dropped."""
        if job.upload_id is not None:
            with contextlib.suppress(NoSuchUpload):
                upload_id = job.upload_id
                parts = await self._in_thread(lambda: self._house.store.list_parts(job.key, upload_id))
                return upload_id, {part.number: part for part in parts}
        for forgotten in await self._in_thread(lambda: self._house.store.unfinished(job.key)):
            await self._in_thread(lambda name=forgotten: self._house.store.abort(job.key, name))  # type: ignore[misc]
        BEGIN.before()
        begun = await self._in_thread(lambda: self._house.store.initiate(job.key))
        BEGIN.effect()
        await self._ledger.do(uploads.upload_begun, job.key, begun)
        BEGIN.recorded()
        return begun, {}

    async def _put_part(self, job: UploadJob, upload_id: str, number: int, reader: BinaryIO) -> Part:
        async with self._slots.of(self._settings.storage.uploads):
            PUT_PART.before()
            try:
                part = await self._in_thread(
                    lambda: self._house.store.put_part(job.key, upload_id, number, reader, len(cast(Any, reader)))
                )
            except NoSuchUpload:
                await self._ledger.do(uploads.upload_begun, job.key, None)
                raise TryLater("NoSuchUpload", "the storage dropped the unfinished upload", bound=3) from None
            PUT_PART.effect()
        self._further.add(job.recognition_id)
        return part

    async def _complete(self, job: UploadJob, upload_id: str, parts: Sequence[Part]) -> int:
        COMPLETE.before()
        try:
            crc = await self._in_thread(lambda: self._house.store.complete(job.key, upload_id, parts))
        except NoSuchUpload:
            crc = await self._completed_before(job)
        COMPLETE.effect()
        return crc

    async def _completed_before(self, job: UploadJob) -> int:
        """The answer to an earlier `complete` may have been lost: then the object stands already."""
        found = await self._in_thread(lambda: self._house.store.head(job.key))
        await self._ledger.do(uploads.upload_begun, job.key, None)
        if found is not None and found[0] == job.size and found[1] is not None:
            return found[1]
        raise TryLater("NoSuchUpload", "the storage dropped the unfinished upload", bound=3)

    def _slice(self, fd: int, start: int, size: int) -> BinaryIO:
        return cast(BinaryIO, Slice(fd, start, size, lambda: self._stopping))

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        """Run to the end even if the task is cancelled: the thread still reads from the open file."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await future
            raise

    async def _try_later(self, job: UploadJob, fault: TryLater) -> None:
        fault.message = self._house.clean(fault.message)
        retry = self._settings.retry
        if job.attempts + 1 >= min(retry.attempts, 1 + (fault.bound or retry.attempts)):
            await self._refuse(job, fault.code, fault.message, "`dropscribe retry` tries it again")
            return
        wait = slow_wait(job.attempts, retry.first_wait, retry.longest_wait, secrets.SystemRandom().random())
        until = self._clock.now() + wait
        await self._ledger.do(uploads.charge, job.recognition_id, fault.code, fault.message, until)
        log.warning("upload.again", code=fault.code, message=fault.message, retry_in=round(wait, 1))

    async def _refuse(self, job: UploadJob, code: str, message: str, remedy: str) -> None:
        failure = Failure(code, message, remedy, attempts=job.attempts + 1)
        await self._ledger.do(batches.refused_before_submit, job.recognition_id, failure, self._clock.now())
        log.warning("file.refused", code=code, message=message)
        self._on_refused()


def part_size(size: int) -> int:
    """Bytes of a part: the same for the same file, so that parts of an earlier try fit."""
    needed = -(-size // MOST_PARTS)
    return max(SMALLEST_PART, -(-needed // 65536) * 65536)


def _require_unchanged(fd: int, source: Source) -> None:
    if look_of_stat(os.fstat(fd)) != source.look:
        raise SourceChanged("another file, or other content, was put in its place before it was submitted")
