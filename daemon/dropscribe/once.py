"""`run --once`: when all that lay in the inboxes is delivered or failed, or the patience with a fault is over."""

from collections.abc import Mapping

from dropscribe.house import House
from dropscribe.intake import Intake
from dropscribe.ledger import batches, deliveries, upkeep
from dropscribe.model import ACCOUNT
from dropscribe.strangers import Strangers

LOOK_EVERY = 0.1
PROGRESS_EVERY = 1.0
STILL_AT_LEAST = 5.0


class Once:
    """Watches one run to its end. `failed_files` is None until all is done."""

    def __init__(self, house: House, intakes: Mapping[str, Intake], patience: float, strangers: Strangers) -> None:
        """`patience` in seconds: how long a fault, or a standstill, may last. `strangers`: what another key submitted
        ends nothing as long as other files go on.
        """
        self._strangers = strangers
        self._others_open = True
        self._house = house
        self._intakes = intakes
        self._patience = patience
        self._progress: tuple[upkeep.Standing | None, tuple[int, list[int]]] = (None, (0, []))
        self._progress_at = self._moved_at = 0.0
        self.failed_files: int | None = None

    @property
    def nobody_else_comes(self) -> bool:
        """Whether every file that lay there is taken: no batch needs to wait for company."""
        return all(intake.settled_down for intake in self._intakes.values())

    async def until_done(self) -> None:
        """Return when everything is delivered or failed, and nothing of it is left in the bucket."""
        start = self._house.clock.now()
        while not await self._all_done():
            await self._see_progress()
            await self._house.clock.sleep(LOOK_EVERY)
        self.failed_files = await self._house.ledger.look(deliveries.count_failed, start)

    async def until_out_of_patience(self) -> None:
        """Return when a fault, or a standstill, lasted too long. The ledger may hang: it is not asked."""
        clock = self._house.clock
        self._moved_at = clock.monotonic()
        since: dict[bool, float] = {}
        while True:
            await clock.sleep(LOOK_EVERY)
            now = clock.monotonic()
            found = {scope.name == ACCOUNT for scope in self._house.scopes.open_scopes()}
            since = {hidden: since.get(hidden, now) for hidden in found}
            too_long = {hidden for hidden, at in since.items() if now - at > self._patience}
            troubled = False in too_long or (True in too_long and not self._others_open)
            if troubled or now - self._moved_at > self._longest_standstill:
                return

    async def _all_done(self) -> bool:
        if not self.nobody_else_comes:
            return False
        if await self._house.ledger.look(deliveries.any_open, list(self._house.inboxes)):
            return False
        if await self._house.ledger.look(batches.any_unwanted, self._strangers.batches):
            return False
        return not await self._house.ledger.look(upkeep.doomed_objects, 1)

    async def _see_progress(self) -> None:
        now = self._house.clock.monotonic()
        if now < self._progress_at:
            return
        self._progress_at = now + PROGRESS_EVERY
        but = self._strangers.batches
        left = await self._house.ledger.look(deliveries.any_open, list(self._house.inboxes), but)
        self._others_open = left or not self.nobody_else_comes
        before, seen = self._progress
        found = await self._house.ledger.look(upkeep.standing, before)
        beside = self._house.answers, [intake.settling for intake in self._intakes.values()]
        self._progress = found, beside
        if found.moves(before) or beside != seen:
            self._moved_at = self._house.clock.monotonic()

    @property
    def _longest_standstill(self) -> float:
        """A batch waits for company and a file settles: that is no standstill."""
        settings = self._house.settings
        settle = max((inbox.settle for inbox in settings.inboxes), default=0.0)
        return max(self._patience, settings.batch.max_wait + settle + STILL_AT_LEAST)
