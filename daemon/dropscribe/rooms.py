"""The real objects of a daemon: house and rooms, and who wakes whom. Nothing runs yet."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import structlog

from dropscribe.cleanup import Cleaner
from dropscribe.clock import Clock, Wake
from dropscribe.collect import Collector
from dropscribe.companions import Companions
from dropscribe.config.settings import InboxSettings, Settings, secrets_of
from dropscribe.deliver import Deliverer
from dropscribe.folders import FolderGuard
from dropscribe.house import House
from dropscribe.intake import Intake
from dropscribe.ledger import REMEDY, Ledger, upkeep
from dropscribe.ledger.rows import Taken
from dropscribe.logs import Redactor
from dropscribe.model import Scope
from dropscribe.mounts import filesystem_type
from dropscribe.poll import Poller
from dropscribe.pools import Pools
from dropscribe.probe import Prober
from dropscribe.reconcile import Reconciler
from dropscribe.remote.model_studio import ModelStudio
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import ObjectStore, Recogniser
from dropscribe.remote.signed_get import signed_get
from dropscribe.scopes import PROBED, Scopes
from dropscribe.strangers import Strangers
from dropscribe.submit import Submitter
from dropscribe.upload import Uploader
from dropscribe.watch import FolderWatch, watch_mode

log = structlog.get_logger()
Value = TypeVar("Value")

LONGEST_SCOPE_WAIT = 300.0
LEDGER = "ledger"


class Rooms:
    """All that a daemon is made of, by the names that the flow has for it."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: ObjectStore | None,
        recogniser: Recogniser | None,
        once: bool,
        patience: float,
        ended: Callable[[], Sequence[str]],
        hurry: Callable[[], bool],
    ) -> None:
        """Hold the state folder and build every room. With `once` no inbox is watched, and a disk in trouble is waited
        for no longer than `patience`. `ended` names rooms that are not there any more; `hurry`: nobody else will come.

        Raises:
            StateHeld, Misconfigured, OSError: the ledger cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        self._clock, self._once, self._ended, self._hurry = clock, once, ended, hurry
        self.ledger = Ledger(settings.state, self._on_ledger_trouble, patience if once else float("inf"))
        self.pools = Pools()
        self.redactor = Redactor(secrets_of(settings))
        """It learns the secrets of each configuration, and forgets none: what is in flight may repeat an old one."""
        self.house = self._build(settings, store, recogniser)
        self._furnish()

    def _build(self, settings: Settings, store: ObjectStore | None, recogniser: Recogniser | None) -> House:
        scopes = Scopes(
            self._clock,
            *scope_waits(settings),
            lambda scope: self.ledger.do(upkeep.open_scope, scope),
            lambda name: self.ledger.do(upkeep.close_scope, name),
            self.redactor.line,
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
            self.redactor.line,
        )

    def _furnish(self) -> None:
        """The rooms, and who wakes whom."""
        house, pools = self.house, self.pools
        self.companions = Companions(house, self.wake_senders, self._wake_all, self._ended)
        self.cleaner = Cleaner(house, pools.cleanup, self._wake_after_deletes)
        self.prober = Prober(house, pools.probe, signed_get, on_doomed=self.cleaner.wake.set)
        blame = self.prober.blame
        self.collector = Collector(
            house,
            pools.work,
            on_answer=self._wake_after_answer,
            on_again=self.wake_senders,
            on_first_only=self._one_url_only,
            blame=blame,
        )
        self.strangers = strangers = Strangers(house.ledger, house.scopes)
        self.poller = Poller(house, self.collector.bring_home, self._wake_all, strangers, blame)
        self.reconciler = Reconciler(house, self.poller.follow, self._wake_all, strangers, blame)
        self.submitter = Submitter(
            house,
            pools.work,
            on_task=self._follow,
            on_lost=lambda _: self.reconciler.wake.set(),
            on_refused=self._wake_after_answer,
            hurry=self._hurry,
            blame=blame,
        )
        self.uploader = Uploader(
            house,
            pools.uploads,
            on_ready=self.submitter.wake.set,
            on_refused=self._wake_after_answer,
            on_doomed=self.cleaner.wake.set,
            blame=blame,
            measure=self.companions.budget.measured,
        )
        house.scopes.tell(self._wake_after_news)
        self.deliverers = {name: self.new_deliverer(name) for name in house.inboxes}
        self.intakes = {name: self.new_intake(name) for name in house.inboxes}

    def _follow(self, batch_id: int) -> None:
        self.poller.follow(batch_id)
        self.reconciler.late.look_back_later(batch_id)  # a proxy may have sent the submit twice

    async def _one_url_only(self, model: str, code: str, message: str) -> None:
        await self.submitter.limits.one_url_only(model, code, message)

    def new_deliverer(self, name: str) -> Deliverer:
        return Deliverer(name, self.house, self.pools.of_inbox(name), self.submitter.wake.set)

    def new_intake(self, name: str) -> Intake:
        watch = None if self._once else self._new_watch
        return Intake(name, self.house, self._own_folders, self.pools.of_inbox(name), self._on_taken, watch)

    def judged(self) -> dict[str, Wake]:
        """Those that belong to no folder: a dead network disk holds the others, and a restart would not help. While the
        start gate is shut, `reconcile`, which opens it, answers for `submit` behind it as well.
        """
        return {
            "upload": self.uploader.wake,
            **({"submit": self.submitter.wake} if self.reconciler.gate.is_open else {}),
            "reconcile": self.reconciler.wake,
            "poll": self.poller.wake,
            "cleanup": self.cleaner.wake,
            "probe": self.prober.wake,
        }

    def withhold(self, recognitions: set[int]) -> None:
        self.submitter.withheld = recognitions
        self.submitter.wake.set()

    def _new_watch(
        self, inbox: InboxSettings, on_path: Callable[[bytes], None], on_doubt: Callable[[str], None]
    ) -> FolderWatch:
        """Called in a folder's thread; the callbacks reach the loop."""
        mode = watch_mode(inbox.watch, filesystem_type(inbox.inbox))
        return FolderWatch(inbox.inbox, mode, _in_loop(self._loop, on_path), _in_loop(self._loop, on_doubt))

    def _own_folders(self) -> list[Path]:
        """Never scanned, wherever they lie."""
        found = [self.house.settings.state]
        for inbox in self.house.inboxes.values():
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
        if taken.again:
            self.deliverers[inbox].taken_again(taken.path)
        if taken.recognition in ("answered", "refused"):
            self.deliverers[inbox].wake.set()
        elif taken.new:
            self.uploader.wake.set()

    def _wake_after_answer(self) -> None:
        for deliverer in self.deliverers.values():
            deliverer.wake.set()
        self.cleaner.wake.set()

    def _wake_after_deletes(self) -> None:
        self.wake_senders()
        self.reconciler.objects_gone()

    def _wake_after_news(self) -> None:
        """A scope opened or closed: who waited for it looks again."""
        self.wake_senders()
        self.poller.wake.set()

    def _wake_all(self) -> None:
        self.wake_senders()
        self._wake_after_answer()

    def wake_senders(self) -> None:
        self.uploader.wake.set()
        self.submitter.wake.set()
        self.cleaner.wake.set()

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
            self.house.scopes.strike_out(LEDGER)
        else:
            self.house.scopes.note(Scope(LEDGER, "LedgerTrouble", message, REMEDY, now, now))


def scope_waits(settings: Settings) -> tuple[float, float]:
    """The first and the longest wait (seconds) between two tries of what is out of order."""
    return settings.retry.first_wait, min(settings.retry.longest_wait, LONGEST_SCOPE_WAIT)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Value], None]) -> Callable[[Value], None]:
    """`call` for another thread; after the loop's end it does nothing."""

    def pass_on(value: Value) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(call, value)

    return pass_on
