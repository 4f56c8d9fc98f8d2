"""Starts the rooms in order, watches them, stops them in order.

start:  state folder held -> ledger -> deliver, collect, clean up -> upload, intake -> task list read -> submit
stop:   intake -> uploads cut (parts resume) -> a submit has 5 s for its answer -> polls -> deliveries end -> ledger
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from dropscribe.clock import Clock, SystemClock
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder
from dropscribe.heartbeat import Heartbeat
from dropscribe.ledger import tallies, upkeep
from dropscribe.once import Once
from dropscribe.pools import Unawaited
from dropscribe.reloading import Reloader
from dropscribe.remote.ports import ObjectStore, Recogniser
from dropscribe.rooms import Rooms
from dropscribe.sd_notify import Notifier
from dropscribe.supervisor import Supervisor

log = structlog.get_logger()

STOP_WITHIN = 9.0
STOP_HARD = 9.5
"""Seconds after which a stopping daemon is ended whatever hangs: a dead share, a name that nobody resolves."""


@dataclass
class Outcome:
    """How `run` ended: what decides the exit code."""

    interrupted: bool = False
    stopped: bool = False
    out_of_patience: bool = False
    failed_files: int = 0
    out_of_order: tuple[str, ...] = ()
    """Scopes that were open when the patience ended; a standstill has none."""


class Service:
    """One running daemon."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        store: ObjectStore | None = None,
        recogniser: Recogniser | None = None,
        once: bool = False,
        patience: float = 600.0,
        reread: Callable[[], Settings] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        """Hold the state folder and build every room; nothing runs yet. Called in the loop that will run it.

        `reread` reads the configuration again, for SIGHUP. `notifier` tells a service manager how things stand.

        Raises:
            StateHeld, Misconfigured, OSError: the ledger cannot be opened.
        """
        self._clock: Clock = clock or SystemClock()
        asyncio.get_running_loop().set_default_executor(Unawaited(thread_name_prefix="loop"))
        self._stop = asyncio.Event()
        self._outcome = Outcome()
        self._once: Once | None = None
        self._supervisor = Supervisor(self._stop.set)
        self._rooms = Rooms(
            settings,
            self._clock,
            store,
            recogniser,
            once,
            patience,
            ended=self._supervisor.ended,
            hurry=self._nobody_else_comes,
        )
        self.ledger = self._rooms.ledger
        self._house = self._rooms.house
        self._reloader = Reloader(self._rooms, self._supervisor, None if once else reread)
        if once:
            self._once = Once(self._house, self._rooms.intakes, patience, self._rooms.strangers)
        self._heartbeat = Heartbeat(self._house, self._rooms.judged, notifier or Notifier(None))

    async def run(self) -> Outcome:
        """Run until stopped (or, with `once`, until all that lay in the inboxes is delivered or failed)."""
        self._install_signals()
        self._supervisor.spawn("start", self._start())  # a ledger that hangs must not keep a signal from being heard
        try:
            await self._until_end()
        finally:
            end = self._end_hard_later()
            await self._shut_down()
            end.cancel()
        if self._supervisor.bug is not None:
            raise self._supervisor.bug
        return self._outcome

    def stop(self, interrupted: bool = False) -> None:
        """Ask for an orderly end."""
        if not self._stop.is_set():
            log.info("daemon.stopping")
            self._heartbeat.stopping()
        self._outcome.interrupted = self._outcome.interrupted or interrupted
        self._outcome.stopped = True
        self._stop.set()

    async def _start(self) -> None:
        await self._say_started()
        rooms, spawn = self._rooms, self._supervisor.spawn
        spawn("probe", rooms.prober.run())
        spawn("poll", rooms.poller.run())
        spawn("upload", rooms.uploader.run())
        spawn("submit", self._submit())
        spawn("cleanup", rooms.cleaner.run())
        for name, room in rooms.companions.rooms():
            spawn(name, room)
        self._reloader.start()
        spawn("heartbeat", self._beat())

    async def _beat(self) -> None:
        """READY once the inboxes are there: who has waited for that drops files at once."""
        for intake in list(self._rooms.intakes.values()):
            await intake.begun.wait()
        await self._heartbeat.run()

    async def _submit(self) -> None:
        """Nothing is paid before the task list was read once: it may show what this ledger does not know."""
        await self._rooms.reconciler.open_gate(self._rooms.withhold)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._rooms.reconciler.run())
            group.create_task(self._rooms.submitter.run())

    async def _say_started(self) -> None:
        await self.ledger.do(upkeep.write_meta, "account", self._house.recogniser.identity.account)
        await self.ledger.do(upkeep.write_meta, "pid", str(os.getpid()))
        self._reloader.say_warnings()
        log.info(
            "daemon.started",
            ledger=self.ledger.id,
            inboxes=len(self._house.inboxes),
            state=str(self._house.settings.state),
        )
        for name, files in (await self.ledger.look(tallies.orphans, list(self._house.inboxes))).items():
            remedy = "configure it again until they are done, or `dropscribe forget --unfinished` gives them up"
            log.warning("inbox.not-configured", inbox=name, files=files, remedy=remedy)

    async def _until_end(self) -> None:
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(self._stop.wait())]
        if self._once is not None:
            waiting.append(asyncio.create_task(self._once.until_done()))
            waiting.append(asyncio.create_task(self._once.until_out_of_patience()))
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        for task in done:
            task.result()
        if self._once is not None:
            self._outcome.out_of_patience = self._once.failed_files is None and not self._stop.is_set()
            self._outcome.failed_files = self._once.failed_files or 0
            if self._outcome.out_of_patience:
                self._outcome.out_of_order = tuple(scope.name for scope in self._house.scopes.open_scopes())

    def _nobody_else_comes(self) -> bool:
        return self._once is not None and self._once.nobody_else_comes

    def _end_hard_later(self) -> threading.Timer:
        timer = threading.Timer(STOP_HARD, self._end_hard)
        timer.daemon = True
        timer.start()
        return timer

    def _end_hard(self) -> None:
        """Called in a thread: something hangs. What was recorded is durable, and the rest is found again."""
        bug = self._supervisor.bug
        if self._once is None:
            os._exit(0 if bug is None else 1)
        if self._outcome.interrupted:
            os._exit(130)
        done = self._once.failed_files is not None and bug is None
        os._exit((2 if self._once.failed_files else 0) if done else 1)

    async def _shut_down(self) -> None:
        deadline = self._clock.monotonic() + STOP_WITHIN
        rooms, supervisor = self._rooms, self._supervisor
        for intake in rooms.intakes.values():
            intake.stop()
        await supervisor.cancel("start", "intake", "upload", "submit")
        await asyncio.gather(rooms.uploader.stop(), rooms.submitter.stop(), rooms.poller.stop())
        for deliverer in rooms.deliverers.values():
            deliverer.stop()
        if delivering := supervisor.unfinished("deliver"):
            await asyncio.wait(delivering, timeout=max(0.1, deadline - self._clock.monotonic()))
        await supervisor.cancel("")
        if self._once is not None and not self._stop.is_set():
            await rooms.companions.last_news()
        rooms.companions.close()
        with contextlib.suppress(OutOfOrder):
            await self._house.recogniser.close()
        rooms.pools.close()
        self.ledger.close()
        log.info("daemon.stopped")

    def _install_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, partial(self.stop, self._once is not None))
        loop.add_signal_handler(signal.SIGINT, partial(self.stop, True))
        loop.add_signal_handler(signal.SIGHUP, self._heartbeat.around(self._reloader.reload))
