"""What an ended task means for each of its files, and its results brought home at once.

report -> a verdict for each file -> fetch (no Authorization) -> checked, compressed -> the ledger
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import structlog

from dropscribe.boundaries import Step
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder, TryLater
from dropscribe.fetching import Fetcher
from dropscribe.house import House
from dropscribe.ledger import batches, judgements
from dropscribe.ledger.rows import Again, BatchRow, Item
from dropscribe.lost import OLDEST, age
from dropscribe.model import RESULTS, Failure, TaskReport
from dropscribe.names import called
from dropscribe.remote.policy import slow_wait
from dropscribe.remote.ports import ResultGone
from dropscribe.scopes import Blame
from dropscribe.second_thoughts import OpenTask, SecondThoughts
from dropscribe.transcript import UnusableResult
from dropscribe.verdicts import Fetch, NoSpeech, Refuse, SendAgain, Verdict, judge

log = structlog.get_logger()

FETCH = Step("collect.fetch")
RECORD = Step("collect.verdict", "before", "recorded")
CLOSE = Step("collect.close", "before", "recorded")

GROUP = 24
"""Results that are fetched together."""
RECORD_FROM = 4 * 1024 * 1024
"""Bytes of compressed results that are recorded before more are fetched; of small ones all of a task's go together."""
ALONE = 1024 * 1024
"""Bytes of a compressed result that is recorded at once, without waiting for its group."""
FETCH_TRIES = 5
_RESULT_REMEDY = (
    "check proxy, firewall and clock on the way to the results' host; they are fetched as soon as it answers"
)
NOTHING_SAID = b'{"transcripts":[]}'
"""Stands for the answer where the service reports 'no speech' instead of a document."""


class Collector:
    """Judges the files of ended tasks and keeps their results."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        on_answer: Callable[[], None],
        on_again: Callable[[], None],
        on_first_only: Callable[[str, str, str], Awaitable[None]],
        blame: Blame,
    ) -> None:
        """`on_answer`: files are owed something; `on_again`: something is to be uploaded or submitted again; the last
        two: see `SecondThoughts`.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._on_answer = on_answer
        self._on_again = on_again
        self._second_thoughts = SecondThoughts(house, on_first_only, blame)
        self._fetcher = Fetcher(house, threads)

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def bring_home(self, task: OpenTask, report: TaskReport) -> bool:
        """Settle what an ended task says of its files; True where all of it is judged, else it is to be asked again.

        Raises:
            OutOfOrder, TryLater: some results could not be fetched; everything else is settled all the same.
        """
        try:
            return await self._settle_all(task, report)
        finally:
            self._scopes.release(RESULTS)

    async def _settle_all(self, task: OpenTask, report: TaskReport) -> bool:
        verdicts = judge(task.row.items, report, self._settings.retry.attempts, task.row.keys)
        verdicts = await self._second_thoughts.on(task, verdicts)
        fetches = [verdict for verdict in verdicts if isinstance(verdict, Fetch)]
        if fetches and not self._scopes.may_pass(RESULTS):
            fetches = []  # they are kept for hours; one task tries whether their host answers again
        faults: list[BaseException] = []
        bodies: dict[int, bytes] = {}
        for start in range(0, len(fetches), GROUP):
            faults += await self._fetch_group(task, fetches[start : start + GROUP], bodies)
            if start + GROUP >= len(fetches) or sum(map(len, bodies.values())) >= RECORD_FROM:
                await self._record(task.row, bodies)
                FETCH.recorded()
                bodies = {}
        for verdict in verdicts:
            await self._settle(task.row, report, verdict)
        CLOSE.before()
        now = self._clock.now()
        closed = await self._ledger.do(judgements.close_if_judged, task.row.id, report.billed_seconds, now)
        CLOSE.recorded()
        if closed:
            log.info("batch.done", batch=task.row.id, task_id=task.row.task_id, files=len(task.row.items))
        else:
            now_open = await self._ledger.look(batches.batch_row, task.row.id)
            task.row = task.row if now_open is None else now_open
        if faults:
            raise faults[0]
        return closed

    async def _settle(self, row: BatchRow, report: TaskReport, verdict: Verdict) -> None:
        match verdict:
            case NoSpeech(item, code):
                log.info("file.no-speech", **await self._named(item), code=code)
                await self._record(row, {item.recognition_id: gzip.compress(NOTHING_SAID, mtime=0)})
            case Refuse():
                await self._refuse(row, verdict, report.request_id)
            case SendAgain():
                await self._send_again(row, verdict)

    async def _named(self, item: Item) -> dict[str, Any]:
        """What the log calls it: by the files that wait for it."""
        names = await self._ledger.look(judgements.subscribers, item.recognition_id)
        return called(names) or {"recognition": item.recognition_id}  # all of them were withdrawn

    async def _fetch_group(
        self, task: OpenTask, group: Sequence[Fetch], bodies: dict[int, bytes]
    ) -> list[BaseException]:
        """Bring some results home into `bodies`; return what went wrong with the others."""
        FETCH.before()
        outcomes = await asyncio.gather(*(self._fetch(task, one) for one in group), return_exceptions=True)
        FETCH.effect()
        for one, body in zip(group, outcomes, strict=True):
            if isinstance(body, bytes):
                bodies[one.item.recognition_id] = body
        return [outcome for outcome in outcomes if isinstance(outcome, BaseException)]

    async def _fetch(self, task: OpenTask, one: Fetch) -> bytes | None:
        """The checked result, compressed; None where it is recorded already, or the file was judged otherwise."""
        item = one.item
        try:
            body = await self._fetcher.fetch(one.url)
        except ResultGone:
            await self._result_gone(task, item)
        except UnusableResult as unusable:
            await self._unreadable(task, item, "UnusableResult", str(unusable))
        except TryLater as fault:
            if fault.code.startswith("HTTP "):
                raise OutOfOrder(RESULTS, "ResultRefused", fault.message, _RESULT_REMEDY) from fault
            await self._unreadable(task, item, fault.code, fault.message)
        else:
            if len(body) < ALONE:
                return body
            await self._record(task.row, {item.recognition_id: body})
        return None

    async def _unreadable(self, task: OpenTask, item: Item, code: str, message: str) -> None:
        """A result that cannot be used: after some looks the file fails, for it would be paid again otherwise."""
        task.unusable[item.recognition_id] += 1
        if task.unusable[item.recognition_id] < FETCH_TRIES:
            raise TryLater(code, message)
        said = f"the service's result cannot be used: {self._house.clean(message)}"
        await self._refuse(task.row, Refuse(item, code, said, "report it to the service"), None)

    async def _record(self, row: BatchRow, bodies: Mapping[int, bytes]) -> None:
        if bodies:
            await self._scopes.works(RESULTS)
            RECORD.before()
            await self._ledger.do(judgements.answered, row.id, bodies, self._clock.now())
            RECORD.recorded()
            self._on_answer()

    async def _result_gone(self, task: OpenTask, item: Item) -> None:
        """The address expired: ask for a fresh one first; then it is bought again, once.

        Before the result can have expired, the refusal is a proxy's, a firewall's or the clock's: nothing is bought.
        """
        if age(task.row, self._house.recogniser.server_time, self._clock.now()) <= OLDEST:
            message = "the address of a result is refused (403 or 404), though the result cannot have expired yet"
            raise OutOfOrder(RESULTS, "ResultForbidden", message, _RESULT_REMEDY)
        if item.recognition_id not in task.gone:
            task.gone.add(item.recognition_id)
            raise TryLater("ResultGone", "the result's address does not answer any more; asking for a new one")
        message = "the service deleted the result before it could be fetched"
        if item.rebuys:
            await self._refuse(task.row, Refuse(item, "ResultGone", message, "`dropscribe retry` buys it again"), None)
            return
        await self._ledger.do(judgements.buy_again, task.row.id, item.recognition_id, "ResultGone", message)
        log.warning("file.again", **await self._named(item), code="ResultGone", message=message)
        self._on_again()

    async def _refuse(self, row: BatchRow, verdict: Refuse, request_id: str | None) -> None:
        failure = Failure(
            verdict.code, verdict.message, verdict.remedy, request_id, row.task_id, verdict.item.attempts + 1
        )
        RECORD.before()
        await self._ledger.do(judgements.refused, row.id, verdict.item.recognition_id, failure, self._clock.now())
        RECORD.recorded()
        self._on_answer()

    async def _send_again(self, row: BatchRow, verdict: SendAgain) -> None:
        retry, item = self._settings.retry, verdict.item
        wait = slow_wait(item.attempts, retry.first_wait, retry.longest_wait, 0.5) if verdict.charged else 0.0
        RECORD.before()
        until = self._clock.now() + wait
        more = Again(verdict.code, verdict.message, until, verdict.reupload, verdict.company, verdict.charged)
        await self._ledger.do(judgements.again, row.id, item.recognition_id, more)
        RECORD.recorded()
        log.warning("file.again", **await self._named(item), code=verdict.code, retry_in=round(wait, 1))
        self._on_again()
