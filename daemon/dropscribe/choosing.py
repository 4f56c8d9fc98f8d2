"""Names for a group of files, chosen by what the ledger and the disk say of them; they are reserved afterwards."""

import asyncio
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from dropscribe.config.settings import InboxSettings
from dropscribe.ledger import Ledger, deliveries
from dropscribe.ledger.rows import OwedMedia, Owner, Reservation
from dropscribe.names import display, error_name
from dropscribe.planning import Planned, Rendered, Wish, failure_names, fit_apart, without_outgrown

Value = TypeVar("Value")


@dataclass
class Claims:
    """Names that a group has chosen, and the media that had given theirs up when they were chosen."""

    taken: set[bytes] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)


class Chooser:
    """Chooses for one inbox."""

    def __init__(self, ledger: Ledger, threads: Executor) -> None:
        self._ledger = ledger
        self._threads = threads

    async def outputs(
        self,
        inbox: InboxSettings,
        rendered: Sequence[Rendered],
        unplaced: Mapping[int, frozenset[bytes]],
        claims: Claims,
    ) -> list[Planned]:
        """Names for the outputs of a group, of which each may have left some `unplaced` in its last try.

        Most files get their first choice, found by one look at the ledger and one at the disk.
        """
        earlier = await self._ledger.look(deliveries.outputs_of, [one.media.media_id for one in rendered])
        wishes = [
            Wish(inbox, one, earlier.get(one.media.media_id, ()), unplaced.get(one.media.media_id, frozenset()))
            for one in rendered
        ]
        owners = await self._owners([path for wish in wishes for path in wish.paths], claims)
        plans = await self._in_thread(lambda: [fit_apart(wish, owners, claims.taken) for wish in wishes])
        found = [plan or await self._further(wish, claims) for wish, plan in zip(wishes, plans, strict=True)]
        return [await self._over_earlier(inbox, plan) if plan.earlier else plan for plan in found]

    async def _over_earlier(self, inbox: InboxSettings, plan: Planned) -> Planned:
        before = await self._ledger.look(deliveries.outputs_of, sorted(plan.earlier))
        every = [planned for outputs in before.values() for planned in outputs]
        return await self._in_thread(lambda: without_outgrown(inbox, plan, every))

    async def _owners(self, paths: Sequence[bytes], claims: Claims) -> dict[bytes, Owner]:
        owners = await self._ledger.look(deliveries.owners, paths)
        claims.given_up.update(owner.media_id for owner in owners.values() if owner.state != "delivering")
        return owners

    async def _further(self, wish: Wish, claims: Claims) -> Planned:
        """The next stems, for a file whose first names belong to somebody else."""
        while wish.next():
            owners = await self._owners(wish.paths, claims)
            plan = await self._in_thread(lambda: fit_apart(wish, owners, claims.taken))  # noqa: B023 - awaited at once
            if plan is not None:
                return plan
        name = display(wish.one.media.path)
        raise FileExistsError(errno.EEXIST, f"no name is free for the outputs of {name}")

    async def failure(self, inbox: InboxSettings, media: OwedMedia, claims: Claims) -> Reservation:
        """Names for the error file, and the source, of a file that failed."""
        wanted = os.path.join(os.fsencode(inbox.failed), media.path)
        stale = await self._ledger.look(deliveries.error_file_owner, error_name(wanted))
        while True:
            plan = await self._in_thread(lambda: failure_names(inbox, media, wanted, stale, claims.taken))
            paths = [path for path in (plan.moved_to, plan.error_file) if path is not None]
            others = await self._ledger.look(deliveries.in_failed, paths, media.inbox, media.path)
            busy = {path for path, other in others.items() if other.state == "failing"}
            claims.taken |= busy
            if not busy:
                break
        claims.given_up.update(other.media_id for other in others.values())
        claims.taken.update(paths)
        return plan

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
