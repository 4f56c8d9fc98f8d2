"""Builds the real objects, starts the rooms in order, watches them, stops them in order.

start:  state folder held -> ledger -> deliver, collect, clean up -> upload, intake -> task list read -> submit
stop:   intake -> uploads cut (parts resume) -> a submit has 5 s for its answer -> polls -> deliveries end -> ledger
"""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from dropscribe.cleanup import Cleaner
from dropscribe.clock import Clock, SystemClock, Wake
from dropscribe.collect import Collector
from dropscribe.companions import Companions
from dropscribe.config import restart_needed
from dropscribe.config.settings import InboxSettings, Settings, secrets_of
from dropscribe.deliver import Deliverer
from dropscribe.errors import Misconfigured, OutOfOrder
from dropscribe.folders import FolderGuard
from dropscribe.heartbeat import Heartbeat
from dropscribe.house import House
from dropscribe.intake import Intake
from dropscribe.ledger import REMEDY, Ledger, upkeep
from dropscribe.ledger.rows import Taken
from dropscribe.logs import Redactor
from dropscribe.model import Scope
from dropscribe.mounts import filesystem_type
from dropscribe.once import Once
from dropscribe.poll import Poller
from dropscribe.probe import Prober
from dropscribe.reconcile import Reconciler
from dropscribe.remote.model_studio import ModelStudio
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import ObjectStore, Recogniser
from dropscribe.remote.signed_get import signed_get
from dropscribe.scopes import PROBED, Scopes
from dropscribe.sd_notify import Notifier
from dropscribe.strangers import Strangers
from dropscribe.submit import Submitter
from dropscribe.upload import Uploader
from dropscribe.watch import FolderWatch, watch_mode

log = structlog.get_logger()
Value = TypeVar("Value")

LONGEST_SCOPE_WAIT = 300.0
THREADS_AN_INBOX = 2
MOST_UPLOADS = 64
"""Threads, as many as `storage.uploads` may ever be; only those that are needed are made."""
STOP_WITHIN = 9.0
STOP_HARD = 9.5
"""Seconds after which a stopping daemon is ended whatever hangs: a dead share, a name that nobody resolves."""
LEDGER = "ledger"


@dataclass
class Outcome:
    """How `run` ended: what decides the exit code."""

    interrupted: bool = False
    stopped: bool = False
    out_of_patience: bool = False
    failed_files: int = 0


class Unawaited(ThreadPoolExecutor):
    """For what the loop itself runs in threads (resolving names): its end waits for none of it."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)


@dataclass
class Pools:
    """Bounded threads, apart by what they wait for, so that a slow disk stops no upload."""

    uploads: ThreadPoolExecutor
    work: ThreadPoolExecutor
    probe: ThreadPoolExecutor
    cleanup: ThreadPoolExecutor
    inboxes: dict[str, ThreadPoolExecutor] = field(default_factory=dict)

    def of_inbox(self, name: str) -> ThreadPoolExecutor:
        """Threads for the folders of one inbox."""
        if name not in self.inboxes:
            self.inboxes[name] = ThreadPoolExecutor(THREADS_AN_INBOX, thread_name_prefix=f"folder-{name}")
        return self.inboxes[name]

    def close(self) -> None:
        """Let running jobs end by themselves; nothing new begins."""
        for pool in (self.uploads, self.work, self.probe, self.cleanup, *self.inboxes.values()):
            pool.shutdown(wait=False, cancel_futures=True)


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
        self._reread = reread
        self._clock: Clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(Unawaited(thread_name_prefix="loop"))
        self.ledger = Ledger(settings.state, self._on_ledger_trouble, patience if once else float("inf"))
        self._pools = Pools(
            ThreadPoolExecutor(MOST_UPLOADS, thread_name_prefix="upload"),
            ThreadPoolExecutor(2, thread_name_prefix="work"),
            ThreadPoolExecutor(1, thread_name_prefix="probe"),
            ThreadPoolExecutor(1, thread_name_prefix="cleanup"),
        )
        self._stop = asyncio.Event()
        self._outcome = Outcome()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._bug: BaseException | None = None
        self._started = False
        self._house = self._build(settings, store, recogniser)
        self._once: Once | None = None
        self._furnish(once)
        if once:
            self._once = Once(self._house, self._intakes, patience)
        self._heartbeat = Heartbeat(self._house, self._judged_rooms(), notifier or Notifier(None))

    async def run(self) -> Outcome:
        """Run until stopped (or, with `once`, until all that lay in the inboxes is delivered or failed)."""
        self._install_signals()
        self._spawn("start", self._start())  # a ledger that hangs must not keep a signal from being heard
        try:
            await self._until_end()
        finally:
            end = self._end_hard_later()
            await self._shut_down()
            end.cancel()
        if self._bug is not None:
            raise self._bug
        return self._outcome

    def stop(self, interrupted: bool = False) -> None:
        """Ask for an orderly end."""
        if not self._stop.is_set():
            log.info("daemon.stopping")
            self._heartbeat.stopping()
        self._outcome.interrupted = self._outcome.interrupted or interrupted
        self._outcome.stopped = True
        self._stop.set()

    def _build(self, settings: Settings, store: ObjectStore | None, recogniser: Recogniser | None) -> House:
        scopes = Scopes(
            self._clock,
            *_scope_waits(settings),
            lambda scope: self.ledger.do(upkeep.open_scope, scope),
            lambda name: self.ledger.do(upkeep.close_scope, name),
            self._clean,
            PROBED,
        )
        return House(
            settings,
            {inbox.name: inbox for inbox in settings.inboxes},
            self.ledger,
            store or OssStore(settings.storage),
            recogniser or ModelStudio(settings.model_studio, self._clock),
            scopes,
            self._clock,
            self._guard,
            Redactor(secrets_of(settings)).line,
        )

    def _furnish(self, once: bool) -> None:
        """The rooms, and who wakes whom. With `once` no inbox is watched."""
        house, pools = self._house, self._pools
        self._companions = Companions(house, self._wake_senders, self._ended_rooms)
        self._cleaner = Cleaner(house, pools.cleanup, self._wake_after_deletes)
        self._prober = Prober(house, pools.probe, signed_get, on_doomed=self._cleaner.wake.set)
        blame = self._prober.blame
        self._collector = Collector(
            house,
            pools.work,
            on_answer=self._wake_after_answer,
            on_again=self._wake_senders,
            on_first_only=self._one_url_only,
            blame=blame,
        )
        strangers = Strangers(house.scopes)
        self._poller = Poller(house, self._collector.bring_home, self._wake_all, strangers, blame)
        self._reconciler = Reconciler(house, self._poller.follow, self._wake_all, strangers, blame)
        self._submitter = Submitter(
            house,
            pools.work,
            on_task=self._follow,
            on_lost=lambda _: self._reconciler.wake.set(),
            on_refused=self._wake_after_answer,
            hurry=self._nobody_else_comes,
            blame=blame,
        )
        self._uploader = Uploader(
            house,
            pools.uploads,
            on_ready=self._submitter.wake.set,
            on_refused=self._wake_after_answer,
            on_doomed=self._cleaner.wake.set,
            blame=blame,
            measure=self._companions.budget.measured,
        )
        house.scopes.tell(self._wake_after_news)
        self._deliverers = {name: self._deliverer(name) for name in house.inboxes}
        self._intakes = {name: self._intake(name, not once) for name in house.inboxes}

    def _follow(self, batch_id: int) -> None:
        self._poller.follow(batch_id)
        self._reconciler.look_back_later(batch_id)  # a proxy may have sent the submit twice

    def _clean(self, text: str) -> str:
        return self._house.clean(text)  # a reload knows further secrets

    async def _one_url_only(self, model: str, code: str, message: str) -> None:
        await self._submitter.one_url_only(model, code, message)

    def _deliverer(self, name: str) -> Deliverer:
        return Deliverer(name, self._house, self._pools.of_inbox(name), self._submitter.wake.set)

    def _intake(self, name: str, watched: bool = True) -> Intake:
        watch = self._new_watch if watched else None
        return Intake(name, self._house, self._own_folders, self._pools.of_inbox(name), self._on_taken, watch)

    async def _start(self) -> None:
        await self._say_started()
        self._spawn("probe", self._prober.run())
        self._spawn("poll", self._poller.run())
        self._spawn("upload", self._uploader.run())
        self._spawn("submit", self._submit())
        self._spawn("cleanup", self._cleaner.run())
        for name, room in self._companions.rooms():
            self._spawn(name, room)
        for name in self._house.inboxes:
            self._begin_inbox(name)
        self._spawn("heartbeat", self._heartbeat.run())
        self._started = True

    def _judged_rooms(self) -> dict[str, Wake]:
        """Those that belong to no folder: a dead network disk holds the others, and a restart would not help."""
        return {
            "upload": self._uploader.wake,
            "submit": self._submitter.wake,
            "reconcile": self._reconciler.wake,
            "poll": self._poller.wake,
            "cleanup": self._cleaner.wake,
            "probe": self._prober.wake,
        }

    def _spawn(self, name: str, room: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(room, name=name)
        task.add_done_callback(self._room_ended)
        self._tasks[name] = task

    def _room_ended(self, task: "asyncio.Task[None]") -> None:
        """A room never ends by itself: a bug in its loop stops the daemon, and systemd starts it anew."""
        if task.cancelled() or task.exception() is None:
            return
        log.critical("daemon.bug", room=task.get_name(), exc_info=task.exception())
        self._bug = self._bug or task.exception()
        self._stop.set()

    def _ended_rooms(self) -> list[str]:
        return [name for name, task in self._tasks.items() if task.done() and not task.cancelled() and task.exception()]

    async def _submit(self) -> None:
        """Nothing is paid before the task list was read once: it may show what this ledger does not know."""
        await self._reconciler.open_gate(self._withhold)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reconciler.run())
            group.create_task(self._submitter.run())

    def _withhold(self, recognitions: set[int]) -> None:
        self._submitter.withheld = recognitions
        self._submitter.wake.set()

    def _new_watch(
        self, inbox: InboxSettings, on_path: Callable[[bytes], None], on_doubt: Callable[[str], None]
    ) -> FolderWatch:
        """Called in a folder's thread; the callbacks reach the loop."""
        mode = watch_mode(inbox.watch, filesystem_type(inbox.inbox))
        return FolderWatch(inbox.inbox, mode, _in_loop(self._loop, on_path), _in_loop(self._loop, on_doubt))

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

    def _nobody_else_comes(self) -> bool:
        return self._once is not None and self._once.nobody_else_comes

    def _end_hard_later(self) -> threading.Timer:
        timer = threading.Timer(STOP_HARD, self._end_hard)
        timer.daemon = True
        timer.start()
        return timer

    def _end_hard(self) -> None:
        """Called in a thread: something hangs. What was recorded is durable, and the rest is found again."""
        if self._once is None:
            os._exit(0 if self._bug is None else 1)
        if self._outcome.interrupted:
            os._exit(130)
        done = self._once.failed_files is not None and self._bug is None
        os._exit((2 if self._once.failed_files else 0) if done else 1)

    async def _shut_down(self) -> None:
        deadline = self._clock.monotonic() + STOP_WITHIN
        for intake in self._intakes.values():
            intake.stop()
        await self._cancel("start", "intake", "upload", "submit")
        await asyncio.gather(self._uploader.stop(), self._submitter.stop(), self._poller.stop())
        for deliverer in self._deliverers.values():
            deliverer.stop()
        delivering = [task for name, task in self._tasks.items() if name.startswith("deliver") and not task.done()]
        if delivering:
            await asyncio.wait(delivering, timeout=max(0.1, deadline - self._clock.monotonic()))
        await self._cancel("")
        if self._once is not None and not self._stop.is_set():
            await self._companions.last_news()
        self._companions.close()
        with contextlib.suppress(OutOfOrder):
            await self._house.recogniser.close()
        self._pools.close()
        self.ledger.close()
        log.info("daemon.stopped")

    async def _cancel(self, *beginnings: str) -> None:
        """End the rooms whose names begin so."""
        chosen = [task for name, task in self._tasks.items() if name.startswith(beginnings)]
        for task in chosen:
            task.cancel()
        await asyncio.gather(*chosen, return_exceptions=True)

    def _install_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, partial(self.stop, self._once is not None))
        loop.add_signal_handler(signal.SIGINT, partial(self.stop, True))
        loop.add_signal_handler(signal.SIGHUP, self._heartbeat.around(self._reload))

    def _reload(self) -> None:
        """SIGHUP: the new configuration if it is sound and needs no restart; else the old one stays, and says why."""
        if self._reread is None or self._once is not None:
            log.info("reload.not-now", reason="`run --once` keeps the configuration it began with")
            return
        try:
            new = self._reread()
            store = OssStore(new.storage) if new.storage != self._house.settings.storage else self._house.store
        except Misconfigured as faults:
            problems = [str(problem) for problem in faults.problems]
            log.error(  # noqa: TRY400 - the problems say it all
                "reload.refused", problems=problems, remedy="the old configuration stays; mend it, SIGHUP again"
            )
            return
        if held := restart_needed(self._house.settings, new):
            log.error("reload.refused", changed=held, remedy="the old configuration stays; restart dropscribe instead")
            return
        self._apply(new, store)
        self._say_warnings()
        log.info("reload.done", inboxes=len(new.inboxes))

    def _apply(self, new: Settings, store: ObjectStore) -> None:
        house, old = self._house, self._house.settings
        house.settings, house.store = new, store
        house.recogniser.repace(new.model_studio.submit_rate, new.model_studio.query_rate)
        house.clean = Redactor([*secrets_of(new), *secrets_of(old)]).line
        house.scopes.retune(*_scope_waits(new))
        self._refurnish({inbox.name: inbox for inbox in new.inboxes})
        self._wake_senders()
        self._companions.reload()

    def _refurnish(self, wanted: Mapping[str, InboxSettings]) -> None:
        """A removed inbox stays known, for its files in flight finish as they began. Before the start none are."""
        inboxes = self._house.inboxes
        for name in [name for name in self._intakes if inboxes[name] != wanted.get(name)]:
            self._end_intake(name)
            if name not in wanted:
                self._spawn(f"farewell {name}", self._house.scopes.works(f"folder:{inboxes[name].inbox}"))
        if not self._started:
            inboxes.clear()
        inboxes.update(wanted)
        if self._started:
            for name in wanted:
                self._begin_inbox(name)

    def _end_intake(self, name: str) -> None:
        self._intakes.pop(name).stop()
        if (running := self._tasks.pop(f"intake {name}", None)) is not None:
            running.cancel()

    def _begin_inbox(self, name: str) -> None:
        """Its rooms, those that do not run yet."""
        if name not in self._deliverers:
            self._deliverers[name] = self._deliverer(name)
        if name not in self._intakes:
            self._intakes[name] = self._intake(name, self._once is None)
        for room, run in (("deliver", self._deliverers[name].run), ("intake", self._intakes[name].run)):
            if f"{room} {name}" not in self._tasks:
                self._spawn(f"{room} {name}", run())
        self._deliverers[name].wake.set()

    async def _say_started(self) -> None:
        await self.ledger.do(upkeep.write_meta, "account", self._house.recogniser.identity.account)
        await self.ledger.do(upkeep.write_meta, "pid", str(os.getpid()))
        self._say_warnings()
        log.info(
            "daemon.started",
            ledger=self.ledger.id,
            inboxes=len(self._house.inboxes),
            state=str(self._house.settings.state),
        )

    def _say_warnings(self) -> None:
        for warning in self._house.settings.warnings:
            log.warning("config.warning", message=warning)

    def _own_folders(self) -> list[Path]:
        """Never scanned, wherever they lie."""
        found = [self._house.settings.state]
        for inbox in self._house.inboxes.values():
            found += [folder for folder in (inbox.outbox, inbox.failed) if folder != inbox.inbox]
            if isinstance(inbox.done, Path):
                found.append(inbox.done)
        return found

    @cache  # noqa: B019 - one guard a folder, as long as the service lives
    def _guard(self, folder: Path) -> FolderGuard:
        return FolderGuard(folder, lambda path: self.ledger.look_now(upkeep.folder_mark, path), self._remember_folder)

    def _remember_folder(self, path: bytes, mark: str) -> None:
        """Called in a folder's thread."""
        self.ledger.do_now(upkeep.remember_folder, path, mark, time.time())

    def _on_taken(self, inbox: str, taken: Taken) -> None:
        if taken.recognition in ("answered", "refused"):
            self._deliverers[inbox].wake.set()
        elif taken.new:
            self._uploader.wake.set()

    def _wake_after_answer(self) -> None:
        for deliverer in self._deliverers.values():
            deliverer.wake.set()
        self._cleaner.wake.set()

    def _wake_after_deletes(self) -> None:
        self._wake_senders()
        self._reconciler.objects_gone()

    def _wake_after_news(self) -> None:
        """A scope opened or closed: who waited for it looks again."""
        self._wake_senders()
        self._poller.wake.set()

    def _wake_all(self) -> None:
        self._wake_senders()
        self._wake_after_answer()

    def _wake_senders(self) -> None:
        self._uploader.wake.set()
        self._submitter.wake.set()
        self._cleaner.wake.set()

    def _on_ledger_trouble(self, error: BaseException | None) -> None:
        """Called in the ledger thread, which cannot write now: only the log and this process can be told."""
        message = str(getattr(error, "orig", error))
        if error is None:
            log.info("scope.closed", scope=LEDGER)
        else:
            log.error("scope.opened", scope=LEDGER, message=message, remedy=REMEDY)
        _in_loop(self._loop, self._note_ledger)(None if error is None else message)

    def _note_ledger(self, message: str | None) -> None:
        now = self._clock.now()
        if message is None:
            self._house.scopes.strike_out(LEDGER)
        else:
            self._house.scopes.note(Scope(LEDGER, "LedgerTrouble", message, REMEDY, now, now))


def _scope_waits(settings: Settings) -> tuple[float, float]:
    """The first and the longest wait (seconds) between two tries of what is out of order."""
    return settings.retry.first_wait, min(settings.retry.longest_wait, LONGEST_SCOPE_WAIT)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Value], None]) -> Callable[[Value], None]:
    """`call` for another thread; after the loop's end it does nothing."""

    def pass_on(value: Value) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(call, value)

    return pass_on
