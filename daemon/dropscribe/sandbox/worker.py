"""A task's life: it waits, downloads each of its files over HTTP, and says what it heard."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import aiohttp
from yarl import URL

from dropscribe.sandbox import transcripts
from dropscribe.sandbox.clock import SandboxClock
from dropscribe.sandbox.ear import Ear, Unheard
from dropscribe.sandbox.faults import Fault, FaultBook, Subject
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.spoken import Recording
from dropscribe.sandbox.tasks import Heard, Subtask, Task, TaskBook, url_path

LARGEST_FILE = 2 * 1024**3
DOWNLOADS_AT_ONCE = 8
_DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=30)
_BROKEN = re.compile(rb"BROKEN:([A-Za-z0-9_.]+)")
_PLAIN_URL = re.compile(r"https?://[\x21-\x7e]+")
_MESSAGES = {
    "FILE_403_FORBIDDEN": "FILE_403_FORBIDDEN",
    "FILE_404_NOT_FOUND": "FILE_404_NOT_FOUND",
    "InvalidFile.DownloadFailed": "The audio file cannot be downloaded.",
}


class SubtaskFailed(Exception):
    """One file of a task cannot be recognised."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message or _MESSAGES.get(code, code)


class Worker:
    """Runs tasks side by side; all downloads together are bounded."""

    def __init__(
        self, settings: SandboxSettings, clock: SandboxClock, book: TaskBook, faults: FaultBook, folder: Path
    ) -> None:
        """`folder` is for what is listened to, as long as that takes."""
        self.settings, self._clock, self._book, self._faults = settings, clock, book, faults
        self._folder, self._ear = folder, Ear()
        self._running: set[asyncio.Task[None]] = set()
        self._downloads = asyncio.Semaphore(DOWNLOADS_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    def begin(self, task: Task) -> None:
        running = asyncio.create_task(self._run(task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def give_up(self) -> None:
        """No task goes on."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        await self.give_up()
        if self._session is not None:
            await self._session.close()

    async def _run(self, task: Task) -> None:
        await self._clock.wait_until(task.created + self.settings.pending_seconds)
        if task.status != "PENDING":
            return
        task.status, task.scheduled = "RUNNING", self._clock.now()
        if task.parameters is not None:
            await asyncio.gather(*(self._recognise(task, s) for s in task.subtasks))
        ready = task.created + self.settings.task_seconds + self.settings.file_seconds * len(task.subtasks)
        await self._clock.wait_until(ready)
        self._end(task)

    def _end(self, task: Task) -> None:
        status = "SUCCEEDED"
        if task.parameters is None:
            task.code, task.message = "BadRequest.EmptyParameters", "Required parameter parameters missing or invalid."
            status = "FAILED"
        elif not any(s.heard for s in task.subtasks):
            status = self.settings.all_failed
            if status == "FAILED":
                task.code, task.message = task.subtasks[0].code, task.subtasks[0].message
        task.end(status, self._clock.now())

    async def _recognise(self, task: Task, subtask: Subtask) -> None:
        subject = Subject(task.model, url_path(subtask.url), (subtask.url,), task.task_id)
        try:
            heard = await self._listen(subtask.url, subject, transcripts.channels(_given(task)))
        except SubtaskFailed as failed:
            subtask.code, subtask.message = failed.code, failed.message
            return
        seconds = transcripts.billed_seconds(transcripts.recording_of(heard, subtask.url), _given(task))
        self._book.bill(task, subtask, heard, seconds, self._clock.now())
        subtask.heard = heard

    async def _listen(self, url: str, subject: Subject, channels: Sequence[int]) -> Heard:
        with self._kept() as file:
            async with self._downloads:
                for fault in self._faults.strike("download", subject, self._clock.now()):
                    await self._suffer(fault)
                heard, beginning = await self._download(url, file)
            for fault in self._faults.strike("subtask", subject, self._clock.now(), frozenset({"fail"})):
                raise SubtaskFailed(fault.code, fault.message)
            _judge(heard, beginning)
            if file is None:
                return heard
            file.flush()
            return replace(heard, spoken=await self._spoken(Path(file.name), url, channels))

    def _kept(self) -> "AbstractContextManager[IO[bytes] | None]":
        """Where a download goes that is to be listened to."""
        if not self.settings.listens:
            return nullcontext()
        return NamedTemporaryFile(dir=self._folder, prefix="listen-")

    async def _spoken(self, path: Path, url: str, channels: Sequence[int]) -> Recording:
        try:
            return await self._ear.listen(path, transcripts.format_of(url), channels)
        except Unheard as error:
            raise SubtaskFailed(error.code, str(error)) from error

    async def _suffer(self, fault: Fault) -> None:
        if fault.does == "hang":
            await asyncio.Event().wait()
        if fault.does == "delay":
            return await self._clock.sleep(fault.seconds)
        cut = fault.does in ("truncate", "not_json")
        code = (
            "CONTENT_LENGTH_CHECK_FAILED"
            if cut
            else "InvalidFile.DownloadFailed"
            if fault.does != "error"
            else fault.code
        )
        raise SubtaskFailed(code)

    async def _download(self, url: str, file: IO[bytes] | None) -> tuple[Heard, bytes]:
        """(what arrived, its first bytes); all of it also into `file`. Raises SubtaskFailed with the service's code."""
        if not _PLAIN_URL.fullmatch(url):
            raise SubtaskFailed("InvalidFile.DownloadFailed")
        try:
            async with self._client().get(URL(url, encoded=True)) as response:
                _check_status(response.status)
                return await _hash(response, file)
        except aiohttp.ClientPayloadError as error:
            raise SubtaskFailed("CONTENT_LENGTH_CHECK_FAILED") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SubtaskFailed("InvalidFile.DownloadFailed") from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=DOWNLOADS_AT_ONCE),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=_DOWNLOAD_TIMEOUT,
                headers={"Accept-Encoding": "identity"},
                read_bufsize=1024 * 1024,
                auto_decompress=False,
            )
        return self._session


def _given(task: Task) -> Mapping[str, Any]:
    return task.parameters or {}


def _check_status(status: int) -> None:
    if status != 200:
        codes = {403: "FILE_403_FORBIDDEN", 404: "FILE_404_NOT_FOUND"}
        raise SubtaskFailed(codes.get(status, "InvalidFile.DownloadFailed"))


async def _hash(response: aiohttp.ClientResponse, file: IO[bytes] | None) -> tuple[Heard, bytes]:
    promised = response.content_length
    if promised is None:
        raise SubtaskFailed("CONTENT_LENGTH_CHECK_FAILED")
    if promised > LARGEST_FILE:
        raise SubtaskFailed("FILE_TOO_LARGE")
    digest, size, beginning = hashlib.sha256(), 0, b""
    async for chunk in response.content.iter_any():
        digest.update(chunk)
        size += len(chunk)
        if file is not None:
            file.write(chunk)
        if len(beginning) < 128:
            beginning += chunk[:128]
    return Heard(digest.hexdigest(), size), beginning


def _judge(heard: Heard, beginning: bytes) -> None:
    """The markers that make a file fail; see the package's docstring."""
    if heard.size == 0:
        raise SubtaskFailed("NO_INPUT_AUDIO_ERROR")
    if beginning.startswith(b"NOSPEECH"):
        raise SubtaskFailed("SUCCESS_WITH_NO_VALID_FRAGMENT")
    if broken := _BROKEN.match(beginning):
        raise SubtaskFailed(broken[1].decode())
