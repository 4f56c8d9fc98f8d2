"""The real daemon in a process of its own, on a clock that the test moves; it can be killed and frozen for real.

Honest about death: it is SIGKILL, from outside or at one of the daemon's own boundaries. Nothing of the daemon runs any
more (no handler, no `finally`, no thread), and what the kernel had got by then survives, as it does when a process
dies. What a power cut would take besides (what was written and not synced) is not the matter here.

Two processes share a page of memory: the child says when it wakes next, the test says how far the time has come. The
time stands still but for the test's jumps, and it jumps only while nothing goes on at all: every thread of both
processes sleeps, and none has run between two looks. So a slow machine makes a run longer, not different.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import struct
import sys
import time
from mmap import mmap
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["dropscribe.cli.retry", "dropscribe.cli.forget", "dropscribe.service", "dropscribe.remote.oss"]
)

PAGE = 4096
BEGAN, PASSED, DUE, SENDING, READY, FROZEN = range(0, 48, 8)
"""Where in the page stand: the moment at which all began; seconds that have passed since; at how many of them the child
wakes next; requests between their intent and the moment they leave; whether signals are heard; whether it stands still
at a boundary.
"""
ARMED = 64
"""`kill STEP:PHASE` or `freeze STEP:PHASE`, as text; empty once it has struck."""
NEVER = float("inf")
PAUSE = 0.001
"""Real seconds between two looks at whether anything goes on."""


class Page:
    """The memory that both processes see."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap(file.fileno(), PAGE)

    def get(self, where: int) -> float:
        value: float = struct.unpack_from("d", self._memory, where)[0]
        return value

    def put(self, where: int, value: float) -> None:
        struct.pack_into("d", self._memory, where, value)

    @property
    def armed(self) -> str:
        return self._memory[ARMED : ARMED + 128].rstrip(b"\0").decode()

    @armed.setter
    def armed(self, text: str) -> None:
        self._memory[ARMED : ARMED + 128] = text.encode().ljust(128, b"\0")


class MovedClock:
    """The child's clock: it shows what the test says."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._page.get(BEGAN) + self._page.get(PASSED)

    def monotonic(self) -> float:
        return self._page.get(PASSED)

    def boottime(self) -> float:
        return self._page.get(PASSED)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self.monotonic() + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        self._tell()
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)
            self._tell()

    def _tell(self) -> None:
        self._page.put(DUE, min((due for due, _ in self._sleepers), default=NEVER))

    def wake_due(self) -> None:
        """The time has jumped."""
        now = self.monotonic()
        for due, woken in self._sleepers:
            if due <= now and not woken.done():
                woken.set_result(None)


class Child:
    """One life of the daemon."""

    def __init__(self, config: Path, log: Path, page_file: Path, page: Page) -> None:
        self._page = page
        for where, value in ((DUE, NEVER), (SENDING, 0.0), (READY, 0.0), (FROZEN, 0.0)):
            page.put(where, value)
        self._process = _context.Process(target=_live, args=(str(config), str(log), str(page_file)), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that it died of."""
        return self._process.exitcode

    @property
    def is_ready(self) -> bool:
        return self._page.get(READY) > 0

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still at a boundary, all of it."""
        return self._page.get(FROZEN) > 0 and all(_state(thread) == "T" for thread in _threads(self.pid))

    def thaw(self) -> None:
        self._page.put(FROZEN, 0.0)
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.exit_code is None:
                os.kill(self.pid, number)

    def ended(self, within: float) -> int | None:
        """Its exit code, once it has one."""
        self._process.join(within)
        return self._process.exitcode


def nothing_goes_on(pid: int) -> bool:
    """Whether all threads of the daemon and all others of this process sleep, and none ran between two looks."""
    before = _pulse(pid)
    time.sleep(PAUSE)
    return before is not None and before == _pulse(pid)


def _pulse(pid: int) -> tuple[int, int] | None:
    """How often threads were given a processor until now; None while one of them runs, waits for a disk, or dies."""
    me, number, runs = os.getpid(), 0, 0
    daemon = _threads(pid)
    for thread in (*daemon, *_threads(me)):
        if thread == f"/proc/{me}/task/{me}":
            continue
        if _state(thread) != "S":
            return None
        number += 1
        runs += int(_read(f"{thread}/schedstat").split()[2])
    return (number, runs) if daemon else None


def _threads(pid: int) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return [f"/proc/{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]
    return []


def _state(thread: str) -> str:
    """One letter, as `man proc_pid_stat` has them; X for one that is gone."""
    return (_read(f"{thread}/stat").rpartition(")")[2].split() or ["X"])[0]


def _read(path: str) -> str:
    """A file of /proc; one of a thread that has just ended is empty, or nought."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return os.read(descriptor, 4096).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError):
        return "0 0 0"


def _live(config: str, log: str, page_file: str) -> None:
    """What `dropscribe run` does, on the given clock."""
    from dropscribe import boundaries, logs
    from dropscribe.config import load
    from dropscribe.config.settings import secrets_of
    from dropscribe.remote.oss import OssStore
    from dropscribe.service import Service

    for number in (signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    page = Page(Path(page_file))
    clock = MovedClock(page)
    settings = load(Path(config), {})
    logs.set_up("json", sys.stderr, secrets_of(settings), clock.now)
    boundaries.observe(lambda step, phase: _passed(page, step, phase))

    async def serve() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, clock.wake_due)
        store = OssStore(settings.storage, sleep=lambda _: None)
        service = Service(settings, clock=clock, store=store, reread=lambda: load(Path(config), {}))
        running = asyncio.ensure_future(service.run())
        await asyncio.sleep(0)
        page.put(READY, 1.0)
        await running

    asyncio.run(serve())
    sys.stderr.flush()
    os._exit(0)


def _passed(page: Page, step: str, phase: str) -> None:
    if (step, phase) == ("submit.intend", "before"):
        page.put(SENDING, page.get(SENDING) + 1)
    if (step, phase) == ("submit.post", "before"):
        page.put(SENDING, page.get(SENDING) - 1)
    act, _, where = page.armed.partition(" ")
    if where != f"{step}:{phase}":
        return
    page.armed = ""
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    page.put(FROZEN, 1.0)
    os.kill(os.getpid(), signal.SIGSTOP)
    while page.get(FROZEN):
        time.sleep(0.0002)
