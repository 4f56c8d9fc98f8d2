"""The sandbox itself: one port of 127.0.0.1, every request counted, bent by the faults in force, and answered."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from dropscribe.sandbox import admin, model_studio, oss, oss_calls, results, transcripts
from dropscribe.sandbox.answers import Answer, OssError, StudioError
from dropscribe.sandbox.blobs import BlobStore, InMemory
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.clock import SandboxClock
from dropscribe.sandbox.counters import Counters
from dropscribe.sandbox.faults import OF_MEANING, Fault, FaultBook, Subject
from dropscribe.sandbox.objects import Bucket
from dropscribe.sandbox.overheard import hearing
from dropscribe.sandbox.saving import Saved, restore, saved
from dropscribe.sandbox.sending import BROKEN_OFF, as_call, bent, hung_up, invite_body, send, wait_for_hangup
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.tasks import TaskBook
from dropscribe.sandbox.worker import Worker

HOST = "127.0.0.1"
_READ_BUFFER = 1024 * 1024
Service = Literal["studio", "oss", "results"]


class Sandbox:
    """A stand-in for OSS and Model Studio. All methods belong to the event loop that started it."""

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self.url = ""
        """`http://127.0.0.1:PORT` once started."""

    async def start(self) -> str:
        """Listen; return the URL. Raises OSError where the port is taken."""
        settings = self.settings
        self._folder = tempfile.TemporaryDirectory(prefix="dropscribe-sandbox-")
        self._clock = SandboxClock(settings.speed)
        self._faults, self._counters = FaultBook(), Counters()
        self._book = TaskBook(settings.retention_seconds)
        self._bucket = Bucket(
            settings.bucket, self._clock.now(), BlobStore(Path(self._folder.name), settings.memory_limit)
        )
        self._worker = Worker(settings, self._clock, self._book, self._faults, Path(self._folder.name))
        self._storage = oss.ObjectStorage(self._bucket, settings, self._clock)
        self._studio = model_studio.ModelStudio(settings, self._clock, self._book, self._faults, self._worker.begin)
        self._stopping = asyncio.Event()
        try:
            self.url = self._studio.base_url = await self._listen(settings.port)
        except BaseException:
            self._folder.cleanup()
            raise
        return self.url

    async def _listen(self, port: int) -> str:
        server = web.Server(self._handle, access_log=None, read_bufsize=_READ_BUFFER, lingering_time=2.0)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port, backlog=1024).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """End all tasks and connections; drop everything that was stored."""
        self._stopping.set()
        self._studio.close()
        await self._worker.close()
        await self._runner.cleanup()
        self._folder.cleanup()

    def state(self) -> dict[str, Any]:
        """Objects, unfinished uploads, tasks, the billing book, counters and faults, as plain data."""
        return {
            "now": self._clock.now(),
            **self._bucket.as_json(),
            "tasks": [t.as_json() for t in self._book.tasks.values()],
            "book": [entry.as_json() for entry in self._book.billed],
            "calls": self._counters.as_json(),
            "faults": self._faults.as_json(),
        }

    def said(self) -> dict[str, str]:
        """What it told of each content that it recognised, by its sha256; first channels only."""
        heard = [(s.heard, s.url) for task in self._book.tasks.values() for s in task.subtasks if s.heard is not None]
        return {one.sha256: transcripts.recording_of(one, url).text for one, url in heard}

    def save(self) -> Saved:
        """All that it holds, for `restore`."""
        return saved(self._bucket, self._book, self._faults)

    async def restore(self, state: Saved) -> None:
        """Be as it was then; what has come since never was. Nobody may be calling."""
        await self._worker.give_up()
        self._faults.take_over(state.faults)
        for task in restore(state, self._bucket, self._book):
            self._worker.begin(task)

    @property
    def traffic(self) -> int:
        """Grows with every call that comes and with every one that ends: safe from any thread."""
        return self._counters.moments

    def arrivals(self, call: str) -> int:
        """How often a call came, whatever became of it: safe from any thread."""
        return self._counters.arrivals(call)

    @property
    def open_calls(self) -> int:
        """Calls that came and have not ended, those that hang among them: safe from any thread."""
        return self._counters.open

    @property
    def until_next(self) -> float | None:
        """Seconds of its clock until something happens by itself; None: nothing will. Safe from any thread."""
        return self._clock.until_next()

    def inject(self, fault: Fault) -> None:
        """From now on this goes wrong."""
        self._faults.add(fault, self._clock.now())

    def clear_faults(self) -> None:
        self._faults.clear()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        self._clock.advance(seconds)

    def change(self, settings: Mapping[str, Any]) -> None:
        """Replace some settings; port and bucket stay. Raises ValueError."""
        changed = self.settings.changed(settings)
        self.settings = self._storage.settings = self._studio.settings = self._worker.settings = changed
        self._book.retention = changed.retention_seconds
        if "speed" in settings:
            self._clock.run_at(changed.speed)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = as_call(request)
        if call.path.startswith(admin.PREFIX):
            return await send(request, await admin.handle(call, self), {})
        service, name = self._routed(call)
        self._counters.arrived(name)
        heard = hearing(call, name, request.raw_headers, request.raw_path, self._clock.now())
        try:
            answer = await self._bent_answer(request, heard.call if heard else call, service, name)
        except BROKEN_OFF:
            answer = None
        headers = self._common_headers(call, service)
        if heard:
            heard.ended(answer, headers)
        self._counters.answered(name, answer.status if answer else None)
        if answer is None:
            return hung_up(request)
        return await send(request, answer, headers)

    def _routed(self, call: Call) -> tuple[Service, str]:
        """Which service a call is for, and the call's name there."""
        if call.path.startswith("/api/"):
            return "studio", model_studio.call_name(call) or "unknown"
        if call.path.startswith(results.PREFIX):
            return "results", "result"
        return "oss", oss_calls.call_name(call, oss_calls.split_path(call.path)[1]) or "unknown"

    def _common_headers(self, call: Call, service: Service) -> dict[str, str]:
        request_id = "x-request-id" if service == "studio" else "x-oss-request-id"
        return {"Date": self._clock.http_date(), request_id: call.request_id, "Server": "dropscribe-sandbox"}

    async def _bent_answer(self, request: web.BaseRequest, call: Call, service: Service, name: str) -> Answer | None:
        """The answer after all faults; None where the caller is to be left without one."""
        call, subject = await self._subject(request, call, service, name)
        faults = self._faults.strike(name, subject, self._clock.now())
        for fault in faults:
            if fault.does == "delay":
                await self._clock.sleep(fault.seconds)
            if fault.does == "hang":
                await wait_for_hangup(request, self._stopping)
            if fault.does in ("drop", "hang"):
                return None
            if fault.does == "error":
                return _told_to_fail(call, service, fault)
        answer = await self._answer(call, service, name, subject)
        if answer is None or any(fault.does == "lost" for fault in faults):
            return None
        return reduce(bent, faults, answer)

    async def _subject(self, request: web.BaseRequest, call: Call, service: Service, name: str) -> tuple[Call, Subject]:
        """What a fault may match; a submit is read for it, and handed on with its body in memory."""
        await invite_body(request)
        if name == "submit":
            body = await call.body.read()
            return replace(call, body=InMemory(body)), model_studio.submit_subject(body)
        if service == "oss":
            return call, Subject(key=oss_calls.split_path(call.path)[1])
        if service == "results":
            return call, self._task_subject(results.task_of(call.path))
        return call, self._task_subject(model_studio.task_id_of(call.path))

    def _task_subject(self, task_id: str) -> Subject:
        task = self._book.tasks.get(task_id)
        return model_studio.task_subject(task) if task and self._faults else Subject(task=task_id)

    async def _answer(self, call: Call, service: Service, name: str, subject: Subject) -> Answer | None:
        try:
            if service == "studio":
                return await self._studio.handle(call, name)
            if service == "oss":
                return await self._storage.handle(call, name)
            return self._result(call, subject)
        except StudioError as refusal:
            return refusal.answer(call.request_id)
        except OssError as refusal:
            return refusal.answer(call.request_id, HOST, call.method == "HEAD")

    def _result(self, call: Call, subject: Subject) -> Answer:
        now = self._clock.now()
        for fault in self._faults.strike("result", subject, now, OF_MEANING["result"]):
            if fault.does == "body":
                return Answer(200, fault.message.encode(), {"x-oss-object-type": "Normal"})
            raise OssError(403, "AccessDenied", "Request has expired.", "0002-00000069")
        return results.serve(call, self._book, now)


def _told_to_fail(call: Call, service: Service, fault: Fault) -> Answer:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if service == "studio":
        return StudioError(fault.status, fault.code, fault.message, headers).answer(call.request_id)
    refusal = OssError(fault.status, fault.code, fault.message)
    return refusal.answer(call.request_id, HOST, call.method == "HEAD").with_headers(headers)
