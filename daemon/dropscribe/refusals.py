"""Whose fault a refused submit is: the count of its files, the settings that all have in common, the way to the
storage, or one file. Single files tell these from each other.

several refused -> single ones go next -> one accepted: the count | three refused alike: the settings | else: a file
"""

from collections.abc import Callable

import structlog

from dropscribe.error_codes import TryAgain, classify_subtask, is_about_download, remedy_for
from dropscribe.errors import OutOfOrder, RequestRefused
from dropscribe.house import House
from dropscribe.ledger import batches, judgements
from dropscribe.ledger.rows import Again, BatchRow, Item
from dropscribe.model import DOWNLOADS, SUBMITS, Failure
from dropscribe.packing import recipe_label
from dropscribe.remote.policy import slow_wait
from dropscribe.scopes import Blame
from dropscribe.suspects import Suspects
from dropscribe.url_limits import Trial, UrlLimits

log = structlog.get_logger()


class Refusals:
    """Settles what was definitely refused, and learns from what is accepted after that."""

    def __init__(self, house: House, limits: UrlLimits, on_refused: Callable[[], None], blame: Blame) -> None:
        """`on_refused`: a file is owed its error; `blame` tells whether anything can be fetched from the storage."""
        self._house = house
        self._ledger, self._clock = house.ledger, house.clock
        self._limits = limits
        self._on_refused = on_refused
        self._blame = blame
        self._suspects = Suspects()

    async def settle(self, row: BatchRow, refusal: RequestRefused) -> None:
        """400 and its like. Of several files single ones go next, to tell count, settings and file from each other."""
        refusal.message = self._house.clean(refusal.message)
        log.warning("batch.refused", batch=row.id, files=len(row.items), code=refusal.code, message=refusal.message)
        label, now = recipe_label(row.model, row.settings), self._clock.now()
        if len(row.items) > 1:
            self._limits.trials[label] = Trial(refusal.code, refusal.message)
            await self._ledger.do(batches.not_accepted, row.id, str(refusal), now, now)
            return
        if is_about_download(refusal.code, refusal.message) and await self._cannot_be_fetched(refusal):
            await self._ledger.do(batches.not_accepted, row.id, str(refusal), now, now)
            return
        item = row.items[0]
        await self._ledger.do(batches.refused_alone, row.id, item, self._verdict(item, refusal), self._clock.now())
        self._on_refused()
        if trial := self._limits.trials.get(label):
            trial.blamed = trial.blamed or trial.code == refusal.code
        unbroken = self._suspects.failed(label, refusal.code, [item.recognition_id])
        if unbroken:
            self._limits.trials.pop(label, None)
            await self._ledger.do(judgements.acquit, unbroken, refusal.code)
            await self._house.scopes.report(_settings_fault(label, refusal))

    async def accepted(self, row: BatchRow) -> None:
        """The settings are in order; where single files were tried, it was the count."""
        label = recipe_label(row.model, row.settings)
        self._suspects.succeeded(label)
        trial = self._limits.trials.pop(label, None)
        if trial is not None and len(row.items) == 1 and not trial.blamed and _speaks_of_count(trial.code):
            await self._limits.one_url_only(row.model, trial.code, trial.message)

    async def _cannot_be_fetched(self, refusal: RequestRefused) -> bool:
        """Whether nothing can be fetched from the storage now: then no file is to blame."""
        remedy = remedy_for(refusal.code, refusal.message)
        fault = await self._blame(OutOfOrder(DOWNLOADS, refusal.code, refusal.message, remedy), SUBMITS)
        return fault.scope == DOWNLOADS

    def _verdict(self, item: Item, refusal: RequestRefused) -> Failure | Again:
        """What becomes of one file that was refused alone: another try later, or failed/ with the reason."""
        said, retry = classify_subtask(refusal.code, refusal.message), self._house.settings.retry
        bound = said.bound if isinstance(said, TryAgain) else retry.attempts if _speaks_of_count(refusal.code) else 0
        if item.tries.get(refusal.code, 0) < bound and item.attempts + 1 < retry.attempts:
            wait = slow_wait(item.attempts, retry.first_wait, retry.longest_wait, 0.5)
            return Again(refusal.code, refusal.message, self._clock.now() + wait)
        remedy = remedy_for(refusal.code, refusal.message)
        return Failure(refusal.code, refusal.message, remedy, refusal.request_id, attempts=item.attempts + 1)


def _speaks_of_count(code: str) -> bool:
    """The code with which an account refuses several URLs, and with which wrong settings are refused, too."""
    return code.startswith("InvalidParameter")


def _settings_fault(label: str, refusal: RequestRefused) -> OutOfOrder:
    """Different single files were refused alike: it is what all have in common, the model with its settings."""
    remedy = "check `recognition` of the inboxes that use this model; the files wait"
    return OutOfOrder(f"recipe:{label}", refusal.code, refusal.message, remedy, request_id=refusal.request_id)
