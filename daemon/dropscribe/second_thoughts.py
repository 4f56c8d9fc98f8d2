"""What is not believed of an ended task at once, and what is not held against its files.

verdicts -> missing? looked at again -> our own doing? spared -> the account's or the way's fault? acquitted -> verdicts
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from dropscribe.error_codes import is_about_download, remedy_for
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import judgements
from dropscribe.ledger.rows import BatchRow
from dropscribe.model import DOWNLOADS, RESULTS
from dropscribe.packing import recipe_label
from dropscribe.scopes import Blame
from dropscribe.suspects import Suspects
from dropscribe.verdicts import MISSING, RESULT_MISSING, Fetch, NoSpeech, Refuse, SendAgain, Verdict

FIRST_ONLY = 2
UNSURE = frozenset({MISSING, RESULT_MISSING})
"""Verdicts on files that may have been paid: what is missing from an answer may only be missing from this look."""


@dataclass
class OpenTask:
    """A task that is not settled yet, and what looking at it has shown."""

    row: BatchRow
    missing_since: float | None = None
    gone: set[int] = field(default_factory=set)
    """Recognitions whose result's address did not answer once already."""
    unusable: Counter[int] = field(default_factory=Counter)
    """How often each recognition's result could not be read."""


class SecondThoughts:
    """Looks at verdicts again before they are carried out."""

    def __init__(self, house: House, on_first_only: Callable[[str, str, str], Awaitable[None]], blame: Blame) -> None:
        """`on_first_only(model, code, message)`: the account takes one URL a task; `blame` tells whether anything can
        be downloaded from the storage.
        """
        self._house = house
        self._ledger, self._scopes = house.ledger, house.scopes
        self._on_first_only = on_first_only
        self._blame = blame
        self._suspects = Suspects()
        self._first_only: Counter[str] = Counter()

    async def on(self, task: OpenTask, verdicts: list[Verdict]) -> list[Verdict]:
        """Those to be carried out now."""
        verdicts = await self._believe_missing(task, verdicts)
        verdicts = await self._spare(verdicts)
        return await self._acquit(task.row, verdicts)

    async def _believe_missing(self, task: OpenTask, verdicts: list[Verdict]) -> list[Verdict]:
        """A file without a result may have been paid: it is believed only when a later look says the same."""
        missing = [
            verdict for verdict in verdicts if isinstance(verdict, SendAgain | Refuse) and verdict.code in UNSURE
        ]
        if not missing:
            return verdicts
        now = self._house.clock.monotonic()
        if task.missing_since is None:
            task.missing_since = now
            await self._notice_first_only(task.row.model, verdicts)
        if now - task.missing_since >= self._house.settings.model_studio.poll.longest:
            return verdicts
        return [verdict for verdict in verdicts if verdict not in missing]

    async def _notice_first_only(self, model: str, verdicts: Sequence[Verdict]) -> None:
        """Two tasks in a row that answer only their first URL: the account takes one a task."""
        missing = [isinstance(verdict, SendAgain) and verdict.code == MISSING for verdict in verdicts]
        first_only = len(missing) > 1 and missing == [False, *[True] * (len(missing) - 1)]
        self._first_only[model] = self._first_only[model] + 1 if first_only else 0
        if self._first_only[model] >= FIRST_ONLY:
            self._first_only[model] = 0  # what was learnt is forgotten after a week, and may be learnt again
            await self._on_first_only(model, MISSING, "tasks answer only their first URL")

    async def _spare(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Whose object we took away ourselves, while the fate of its submit was open, has not failed to be fetched."""
        unfetched = [
            verdict.item.recognition_id
            for verdict in verdicts
            if isinstance(verdict, Refuse) and is_about_download(verdict.code, verdict.message)
        ]
        if not unfetched:
            return verdicts
        taken = set(unfetched) - await self._ledger.look(judgements.with_object, unfetched)
        return [
            SendAgain(verdict.item, verdict.code, verdict.message, charged=False)
            if isinstance(verdict, Refuse) and verdict.item.recognition_id in taken
            else verdict
            for verdict in verdicts
        ]

    async def _acquit(self, row: BatchRow, verdicts: list[Verdict]) -> list[Verdict]:
        """Failures that come in a row, with no success between, are the account's or the service's, not the files'.

        Never those that may have been paid: they are bounded, whoever is to blame.
        """
        label = recipe_label(row.model, row.settings)
        if any(isinstance(verdict, Fetch | NoSpeech) for verdict in verdicts):
            self._suspects.succeeded(label)
            await self._scopes.works(f"files:{label}")
            return verdicts
        verdicts = await self._ask_for_the_way(verdicts)
        charged = [verdict for verdict in verdicts if isinstance(verdict, SendAgain) and verdict.charged]
        if not charged or any(verdict.code != charged[0].code or verdict.code in UNSURE for verdict in charged):
            return verdicts
        first = charged[0]
        unbroken = self._suspects.failed(label, first.code, [verdict.item.recognition_id for verdict in charged])
        if not unbroken:
            return verdicts
        await self._ledger.do(judgements.acquit, unbroken, first.code)
        message = f"{len(unbroken)} files in a row, none recognised between: {first.message}"
        remedy = remedy_for(first.code, first.message)
        await self._scopes.report(OutOfOrder(f"files:{label}", first.code, message, remedy))
        return [replace(verdict, charged=False) if verdict in charged else verdict for verdict in verdicts]

    async def _ask_for_the_way(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Files that could not be fetched are not to blame where nothing can be fetched from the storage."""
        unfetched = [
            verdict
            for verdict in verdicts
            if isinstance(verdict, SendAgain | Refuse) and is_about_download(verdict.code, verdict.message)
        ]
        if not unfetched:
            return verdicts
        code, message = unfetched[0].code, unfetched[0].message
        way = OutOfOrder(DOWNLOADS, code, message, remedy_for(code, message))
        if (await self._blame(way, RESULTS)).scope != DOWNLOADS:
            return verdicts
        return [
            SendAgain(verdict.item, verdict.code, verdict.message, charged=False) if verdict in unfetched else verdict
            for verdict in verdicts
        ]
