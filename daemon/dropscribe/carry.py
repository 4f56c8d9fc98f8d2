"""One source's bytes to one object: the very file that was taken, whole or in parts, and the storage's checksum of it.

open without following links -> the same look? -> put, or parts that are found again -> the same look still? -> CRC-64
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar, cast

from dropscribe.boundaries import Step
from dropscribe.disk.kept_open import folders_kept_open
from dropscribe.errors import OutOfOrder, SourceChanged, TryLater
from dropscribe.house import House
from dropscribe.ledger import uploads
from dropscribe.ledger.rows import Source, UploadJob
from dropscribe.model import Part
from dropscribe.opening import Opener, require_unchanged
from dropscribe.processors import anywhere
from dropscribe.remote.ports import NoSuchUpload

Value = TypeVar("Value")

PUT = Step("upload.put")
BEGIN = Step("upload.begin-parts")
PUT_PART = Step("upload.put-part", "before", "effect")
COMPLETE = Step("upload.complete-parts")

SMALL = 256 * 1024
"""Bytes; a file that is no larger takes a thread together with others."""
LONGEST_TOGETHER = 0.25
"""Seconds after which a thread begins no further file of a group: over a slow line none waits for the others."""
SMALLEST_PART = 8 * 1024 * 1024
MOST_PARTS = 128
"""The storage allows 10,000; but between two parts the line is idle, and what a cut costs is one of them."""


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


class Carrier:
    """Carries files into the bucket, so many requests at once."""

    def __init__(self, house: House, threads: Executor) -> None:
        self._house = house
        self._ledger = house.ledger
        self._threads = threads
        self._opener = Opener(house)
        self._stopping = False
        self._slots, self._large = Slots(), Slots()
        self.further: set[int] = set()
        """Recognitions of which a new part stands since somebody looked: a failure lost them nothing."""

    def stop(self) -> None:
        """Cut what is in flight: the readers refuse to go on."""
        self._stopping = True

    async def carry(self, job: UploadJob, source: Source) -> None:
        """Put the object; return when the storage's checksum is that of the file that was taken.

        Raises:
            SourceChanged: it is gone, or another one.
            Unreadable: it, or its inbox, is out of order.
            Cut: the daemon is stopping; parts that stand are found again.
            OutOfOrder, Refused, TryLater: as the storage says.
        """
        if job.multipart:  # no more at once than requests: the first is to be done before the last has begun
            async with self._large.of(self._house.settings.storage.uploads):
                crc = await self._in_parts(job, source)
        else:
            crc = await self._in_one(job, source)
        if crc != job.crc64:
            await self._ledger.do(uploads.upload_begun, job.key, None)
            raise _mismatch()

    async def carry_together(self, jobs: Sequence[UploadJob]) -> list[Exception | None]:
        """Put small objects one after the other in one thread, each from its first source: what became of the first
        ones, None where all is well. The others were not tried, since one was out of order or it took too long.

        A turn of the loop for each of ten thousand files would cost more than their requests.
        """
        async with self._slots.of(self._house.settings.storage.uploads):
            return await self._in_thread(lambda: self._put_each(jobs))

    @folders_kept_open()
    def _put_each(self, jobs: Sequence[UploadJob]) -> list[Exception | None]:
        """In a thread."""
        outcomes: list[Exception | None] = []
        end = time.monotonic() + LONGEST_TOGETHER
        for job in jobs:
            try:
                crc = self._put_whole(job, job.sources[0])
                outcomes.append(None if crc == job.crc64 else _mismatch())
            except Exception as error:
                outcomes.append(error)
                if isinstance(error, OutOfOrder | Cut):
                    break
            if time.monotonic() > end:
                break
        return outcomes

    @staticmethod
    def recorded(job: UploadJob) -> None:
        """The ledger knows that the object stands."""
        (COMPLETE if job.multipart else PUT).recorded()

    async def _in_one(self, job: UploadJob, source: Source) -> int:
        async with self._slots.of(self._house.settings.storage.uploads):
            return await self._in_thread(lambda: self._put_whole(job, source))

    def _put_whole(self, job: UploadJob, source: Source) -> int:
        """One request; in a thread."""
        fd = self._opener.open(source)
        try:
            PUT.before()
            with anywhere(job.size):
                crc = self._house.store.put(job.key, self._slice(fd, 0, job.size), job.size)
            PUT.effect()
            require_unchanged(fd, source)
        except OSError as error:
            raise self._opener.trouble(source, error) from error
        finally:
            os.close(fd)
        return crc

    async def _in_parts(self, job: UploadJob, source: Source) -> int:
        """Nothing of a source is touched in the event loop: its share may hang."""
        fd = await self._in_thread(lambda: self._opener.open(source))
        try:
            crc = await self._parts_of(job, fd)
            await self._in_thread(lambda: require_unchanged(fd, source))
        except OSError as error:
            fault = error
            raise await self._in_thread(lambda: self._opener.trouble(source, fault)) from error
        finally:
            with contextlib.suppress(RuntimeError):  # the threads are closed: so is the process, soon
                self._threads.submit(os.close, fd)
        return crc

    async def _parts_of(self, job: UploadJob, fd: int) -> int:
        earlier = await self._earlier(job)
        if earlier is None and job.upload_id is not None and (crc := await self._crc_of_whole(job)) is not None:
            return crc  # it was completed, and nobody lived to hear of it
        upload_id, standing = earlier or (await self._begin(job), {})
        parts: list[Part] = []
        size = part_size(job.size)
        for number, start in enumerate(range(0, job.size, size), start=1):
            length = min(size, job.size - start)
            found = standing.get(number)
            if found is None or found.size != length:
                found = await self._put_part(job, upload_id, number, self._slice(fd, start, length))
            parts.append(found)
        return await self._complete(job, upload_id, parts)

    async def _earlier(self, job: UploadJob) -> tuple[str, dict[int, Part]] | None:
        """An earlier try's upload and the parts that stand; None where there is none."""
        if (upload_id := job.upload_id) is None:
            return None
        try:
            parts = await self._in_thread(lambda: self._house.store.list_parts(job.key, upload_id))
        except NoSuchUpload:
            return None
        return upload_id, {part.number: part for part in parts}

    async def _begin(self, job: UploadJob) -> str:
        """Begin an upload; one that began and was never recorded is found by its key and dropped."""
        for forgotten in await self._in_thread(lambda: self._house.store.unfinished(job.key)):
            await self._in_thread(lambda name=forgotten: self._house.store.abort(job.key, name))  # type: ignore[misc]
        BEGIN.before()
        begun = await self._in_thread(lambda: self._house.store.initiate(job.key))
        BEGIN.effect()
        await self._ledger.do(uploads.upload_begun, job.key, begun)
        BEGIN.recorded()
        return begun

    async def _put_part(self, job: UploadJob, upload_id: str, number: int, reader: BinaryIO) -> Part:
        async with self._slots.of(self._house.settings.storage.uploads):
            PUT_PART.before()
            try:
                part = await self._in_thread(lambda: self._send_part(job.key, upload_id, number, reader))
            except NoSuchUpload:
                await self._ledger.do(uploads.upload_begun, job.key, None)
                raise TryLater("NoSuchUpload", "the storage dropped the unfinished upload", bound=3) from None
            PUT_PART.effect()
        self.further.add(job.recognition_id)
        return part

    def _send_part(self, key: str, upload_id: str, number: int, reader: BinaryIO) -> Part:
        size = len(cast(Any, reader))
        with anywhere(size):
            return self._house.store.put_part(key, upload_id, number, reader, size)

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
        crc = await self._crc_of_whole(job)
        await self._ledger.do(uploads.upload_begun, job.key, None)
        if crc is not None:
            return crc
        raise TryLater("NoSuchUpload", "the storage dropped the unfinished upload", bound=3)

    async def _crc_of_whole(self, job: UploadJob) -> int | None:
        """The storage's checksum of the object, if it stands in its full size."""
        found = await self._in_thread(lambda: self._house.store.head(job.key))
        return found[1] if found is not None and found[0] == job.size else None

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


def _mismatch() -> TryLater:
    return TryLater("ChecksumMismatch", "the storage's checksum of the upload is not that of the file", bound=3)


def part_size(size: int) -> int:
    """Bytes of a part: the same for the same file, so that parts of an earlier try fit."""
    needed = -(-size // MOST_PARTS)
    return max(SMALLEST_PART, -(-needed // 65536) * 65536)
