"""SIGHUP: the configuration is read anew, and applied where that needs no restart."""

from collections.abc import Callable, Iterable, Mapping

import structlog

from dropscribe.config import changes, restart_needed
from dropscribe.config.settings import InboxSettings, Settings, secrets_of
from dropscribe.errors import Misconfigured
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import ObjectStore
from dropscribe.rooms import Rooms, scope_waits
from dropscribe.supervisor import Supervisor

log = structlog.get_logger()


class Reloader:
    """Begins and ends the rooms of inboxes, as configurations come and go."""

    def __init__(self, rooms: Rooms, supervisor: Supervisor, reread: Callable[[], Settings] | None) -> None:
        """`reread` reads the configuration again; None: it stays as it is."""
        self._rooms, self._house = rooms, rooms.house
        self._supervisor = supervisor
        self._reread = reread
        self._started = False

    def start(self) -> None:
        """Begin the rooms of every inbox."""
        for name in self._house.inboxes:
            self._begin_inbox(name)
        self._started = True

    def reload(self) -> None:
        """The new configuration if it is sound and needs no restart; else the old one stays, and says why."""
        if self._reread is None:
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
        changed = changes(self._house.settings, new)
        self._apply(new, store)
        self.say_warnings()
        log.info("reload.done", inboxes=len(new.inboxes), changed=changed)

    def say_warnings(self) -> None:
        """What is odd about the configuration as it is now."""
        for warning in self._house.settings.warnings:
            log.warning("config.warning", message=warning)

    def _apply(self, new: Settings, store: ObjectStore) -> None:
        house = self._house
        house.settings, house.store = new, store
        house.recogniser.repace(new.model_studio.submit_rate, new.model_studio.query_rate)
        self._rooms.redactor.learn(secrets_of(new))
        house.scopes.retune(*scope_waits(new))
        self._refurnish({inbox.name: inbox for inbox in new.inboxes})
        self._rooms.wake_senders()
        self._rooms.companions.reload()

    def _refurnish(self, wanted: Mapping[str, InboxSettings]) -> None:
        """A removed inbox stays known, for its files in flight finish as they began. Before the start none are."""
        inboxes = self._house.inboxes
        for name in [name for name in self._rooms.intakes if inboxes[name] != wanted.get(name)]:
            alarms = set(self._rooms.intakes[name].alarms)
            self._end_intake(name)
            if name not in wanted or wanted[name].inbox != inboxes[name].inbox:
                alarms.add(f"folder:{inboxes[name].inbox}")
            self._supervisor.spawn(f"farewell {name}", self._end_alarms(alarms))
        if not self._started:
            inboxes.clear()
        inboxes.update(wanted)
        if self._started:
            for name in wanted:
                self._begin_inbox(name)

    async def _end_alarms(self, scopes: Iterable[str]) -> None:
        """Nobody is left who would; what is out of order still is found anew."""
        for scope in scopes:
            await self._house.scopes.works(scope)

    def _end_intake(self, name: str) -> None:
        self._rooms.intakes.pop(name).stop()
        if (running := self._supervisor.tasks.pop(f"intake {name}", None)) is not None:
            running.cancel()

    def _begin_inbox(self, name: str) -> None:
        """Its rooms, those that do not run yet."""
        rooms = self._rooms
        if name not in rooms.deliverers:
            rooms.deliverers[name] = rooms.new_deliverer(name)
        if name not in rooms.intakes:
            rooms.intakes[name] = rooms.new_intake(name)
        for room, run in (("deliver", rooms.deliverers[name].run), ("intake", rooms.intakes[name].run)):
            if f"{room} {name}" not in self._supervisor.tasks:
                self._supervisor.spawn(f"{room} {name}", run())
        rooms.deliverers[name].wake.set()
