"""Whether the recogniser and the storage are there, asked at no cost: what tells a dead service from one bad call.

    `api`, `storage` or `downloads` is open and due -> probe -> works: closed, all go on | fails: a longer wait
    a call fails as if all were lost -> `blame`: a probe -> fails alike: the whole scope | works: only that call

The recogniser is asked for the first page of the task list. The storage gets a small object under a recorded key, which
is fetched through its signed URL, as the service would, and handed to the cleaner.
"""

import asyncio
import io
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.errors import OutOfOrder, Refused, TryLater
from dropscribe.house import House
from dropscribe.ledger import upkeep
from dropscribe.model import API, DOWNLOADS, STORAGE
from dropscribe.remote.ports import Unreachable

log = structlog.get_logger()

PUT = Step("probe.put")

CONTENT = b"dropscribe asks whether the storage is there; this object may be deleted\n"
LIFETIME = 300.0
"""Seconds for which the probe's URL is valid."""
PATIENCE = 20.0
"""Seconds for one answer to the signed GET."""
FRESH = 1.0
"""Seconds for which a probe that worked speaks for all calls that failed."""


class Prober:
    """Tries what is out of order as a whole, and says of a failed call whether it is the whole."""

    def __init__(
        self, house: House, threads: Executor, fetch: Callable[[str, float], bytes], on_doomed: Callable[[], None]
    ) -> None:
        """`fetch(url, seconds)` gets a URL as a stranger would (blocking); `on_doomed`: a probe's object has to go."""
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._fetch = fetch
        self._on_doomed = on_doomed
        self._asking = asyncio.Lock()
        self._worked_at: dict[str, float] = {}
        self._probes: dict[str, Callable[[], Awaitable[OutOfOrder | None]]] = {
            API: self._ask_api,
            STORAGE: self._ask_storage,
            DOWNLOADS: self._ask_storage,
        }
        self.wake = Wake()

    async def run(self) -> None:
        """Probe what is open and due until cancelled."""
        self._scopes.tell(self.wake.set)
        while True:
            for name in self._probes:
                if self._scopes.may_probe(name):
                    async with self._asking:
                        await self._probe(name)
            waits = [wait for name in self._probes if (wait := self._scopes.probe_in(name)) is not None]
            await wait_for_event(self.wake, self._clock, max(0.02, min(waits)) if waits else None)

    async def blame(self, fault: OutOfOrder, own: str) -> OutOfOrder:
        """A call ended as if its whole scope were out of order; where a probe works, only `own` is.

        What the probe finds is reported; the caller may report what it gets, too: it is one failed try.
        """
        if fault.scope not in self._probes:
            return fault
        async with self._asking:  # many calls that fail in one moment are one question
            if self._scopes.opened_by(fault.scope) is not None:
                return fault
            fresh = self._clock.monotonic() - self._worked_at.get(fault.scope, -FRESH) < FRESH
            if fresh or await self._probe(fault.scope):
                return replace(fault, scope=own)
        return fault

    async def _probe(self, name: str) -> bool:
        """Whether a scope is in order; says what is and what is not."""
        try:
            failed = await self._probes[name]()
        except Exception:  # a probe must not end what it is to protect
            log.exception("probe.bug", scope=name)
            failed = OutOfOrder(name, "Bug", "a bug in dropscribe; see the log", "report it")
        if failed is None:
            await self._work(*((STORAGE, DOWNLOADS) if name == DOWNLOADS else (name,)))
        elif failed.scope == DOWNLOADS and name == STORAGE:
            await self._work(STORAGE)
            await self._scopes.report(failed)
        else:
            await self._scopes.report(replace(failed, scope=name))
        return self._scopes.opened_by(name) is None

    async def _work(self, *names: str) -> None:
        for name in names:
            self._worked_at[name] = self._clock.monotonic()
            await self._scopes.works(name)

    async def _ask_api(self) -> OutOfOrder | None:
        try:
            await self._house.recogniser.probe()
        except OutOfOrder as fault:  # whatever else it says, it answers, and knows our key
            return fault if fault.scope == API else None
        return None

    async def _ask_storage(self) -> OutOfOrder | None:
        """A fault of `downloads` where the object stands and its signed URL does not give it."""
        key = f"{self._house.settings.storage.prefix}{self._ledger.id}/{secrets.token_hex(16)}.probe"
        await self._ledger.do(upkeep.probe_begins, key, self._clock.now())
        PUT.before()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._put_and_get, key)
        except OutOfOrder as fault:
            return fault
        except (Refused, TryLater) as fault:
            return OutOfOrder(STORAGE, fault.code, fault.message, getattr(fault, "remedy", ""))
        finally:
            PUT.effect()
            await self._ledger.do(upkeep.probe_ended)
            PUT.recorded()
            self._on_doomed()
        return None

    def _put_and_get(self, key: str) -> None:
        """In a thread."""
        store = self._house.store
        store.put(key, io.BytesIO(CONTENT), len(CONTENT))
        try:
            found = self._fetch(store.signed_url(key, LIFETIME), PATIENCE)
        except Unreachable:
            return  # from here; the service, for which the URL is meant, may reach it
        if found != CONTENT:
            message = "what was put into the bucket is not what its signed URL gives"
            raise OutOfOrder(DOWNLOADS, "OtherContent", message, "Check storage.public_endpoint, bucket and cname.")
