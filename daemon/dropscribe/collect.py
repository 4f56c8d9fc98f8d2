"""Open tasks to kept results: polls within the rate, judges each file by its own word, brings the result home at once.

query -> ended? -> a verdict for each file -> fetch (no Authorization) -> checked, compressed -> the ledger
"""

import asyncio
import gzip
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.error_codes import is_about_download, remedy_for
from dropscribe.errors import OutOfOrder, TryLater
from dropscribe.house import House
from dropscribe.ledger import batches
from dropscribe.ledger.rows import Again, BatchRow, Item
from dropscribe.lost import age, of_another_account
from dropscribe.model import ACCOUNT, API, DOWNLOADS, QUERIES, RESULTS, Failure, TaskReport
from dropscribe.packing import recipe_label
from dropscribe.remote.policy import poll_wait, slow_wait
from dropscribe.remote.ports import ResultGone
from dropscribe.scopes import Blame
from dropscribe.suspects import Suspects
from dropscribe.transcript import UnusableResult, parse, without_url_queries
from dropscribe.verdicts import MISSING, RESULT_MISSING, Fetch, NoSpeech, Refuse, SendAgain, Verdict, is_terminal, judge

log = structlog.get_logger()

FETCH = Step("collect.fetch")
RECORD = Step("collect.verdict", "before", "recorded")
CLOSE = Step("collect.close", "before", "recorded")

LARGEST_RESULT = 256 * 1024 * 1024
AT_ONCE = 8
GROUP = 24
"""Results that are recorded together."""
EXPIRES_AFTER = 24 * 3600.0
HURRY_AFTER = 18 * 3600.0
"""Seconds after the submit from which on a task is asked before all younger ones: its result may be about to vanish."""
HIDDEN_EVERY = 600.0
"""Seconds between two looks at a task that another key submitted."""
FETCH_TRIES = 5
FIRST_ONLY = 2
STEADY_LOOKS = 3
UNSURE = frozenset({MISSING, RESULT_MISSING})
"""Verdicts on files that may have been paid: what is missing from an answer may only be missing from this look."""
_RESULT_REMEDY = (
    "check proxy, firewall and clock on the way to the results' host; they are fetched as soon as it answers"
)
NOTHING_SAID = b'{"transcripts":[]}'
"""Stands for the answer where the service reports 'no speech' instead of a document."""


@dataclass
class Polled:
    """An open task and when (monotonic) it is asked next."""

    row: BatchRow
    due: float
    wait: float = 0.0
    mine: bool = True
    """Whether this very key submitted it, so that its "unknown" can be believed."""
    hidden: bool = False
    """Another key's, and not visible to this one."""
    unknown_since: float | None = None
    unknown_looks: int = 0
    missing_since: float | None = None
    asking: bool = False
    gone: set[int] = field(default_factory=set)
    """Recognitions whose result's address did not answer once already."""
    unusable: Counter[int] = field(default_factory=Counter)
    """How often each recognition's result could not be read."""


class Collector:
    """Polls every open task and settles its files."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        on_answer: Callable[[], None],
        on_again: Callable[[], None],
        on_first_only: Callable[[str, str, str], Awaitable[None]],
        blame: Blame,
    ) -> None:
        """`on_answer`: files are owed something; `on_again`: something is to be uploaded or submitted again;
        `on_first_only(model, code, message)`: the account takes one URL a task; `blame` tells a dead API from a query
        that fails.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._on_answer = on_answer
        self._on_again = on_again
        self._on_first_only = on_first_only
        self._blame = blame
        self._suspects = Suspects()
        self._first_only: Counter[str] = Counter()
        self._open: dict[int, Polled] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._fetching = asyncio.Semaphore(AT_ONCE)
        self._wanted: set[int] = set()
        self.wake = asyncio.Event()

    @property
    def open_tasks(self) -> int:
        """Tasks that are not settled yet."""
        return len(self._open) + len(self._wanted)

    def follow(self, batch_id: int) -> None:
        """A batch has a task: poll it."""
        self._wanted.add(batch_id)
        self.wake.set()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def run(self) -> None:
        """Poll until cancelled; begins with what an earlier process left running."""
        for row in await self._ledger.look(batches.open_batches, "submitted"):
            await self._adopt(row, first=0.0)
        while True:
            await self._take_in_wanted()
            self._ask_due()
            await wait_for_event(self.wake, self._clock, self._until_next())

    async def stop(self) -> None:
        """Give up what is in flight: tasks go on in the cloud and are asked again after the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _take_in_wanted(self) -> None:
        while self._wanted:
            batch_id = next(iter(self._wanted))
            row = await self._ledger.look(batches.batch_row, batch_id)
            if row is not None and row.state == "submitted" and batch_id not in self._open:
                await self._adopt(row, self._settings.model_studio.poll.first)
            self._wanted.discard(batch_id)

    async def _adopt(self, row: BatchRow, first: float) -> None:
        """Follow a task. One that another key submitted is asked for, too: it may be of the same account."""
        who = self._house.recogniser.identity
        mine = (row.endpoint, row.account) == (who.endpoint, who.account)
        self._open[row.id] = Polled(row, self._clock.monotonic() + first, first, mine)

    def _ask_due(self) -> None:
        now = self._clock.monotonic()
        due = [polled for polled in self._open.values() if polled.due <= now and not polled.asking]
        due.sort(key=lambda polled: self._urgency(polled, self._clock.now()))
        for polled in due[: AT_ONCE - len(self._running)]:
            if not self._scopes.may_pass(API, QUERIES):
                break
            polled.asking = True
            task = asyncio.create_task(self._ask(polled))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _urgency(self, polled: Polled, now: float) -> tuple[int, float]:
        submitted = polled.row.submitted_at or polled.row.intended_at
        if now - submitted > HURRY_AFTER:
            return 0, submitted
        return 1, polled.due

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("collect.bug", exc_info=error)

    def _until_next(self) -> float | None:
        waits = [polled.due for polled in self._open.values() if not polled.asking]
        if not waits:
            return None
        pause = max(min(waits) - self._clock.monotonic(), self._scopes.wait(API, QUERIES))
        full = len(self._running) >= AT_ONCE
        return max(0.01, pause) if not full else None

    async def _ask(self, polled: Polled) -> None:
        try:
            report = await self._house.recogniser.query(polled.row.task_id or "")
            for scope in (API, QUERIES):
                await self._scopes.works(scope)
            await self._consider(polled, report)
        except OutOfOrder as fault:
            await self._scopes.report(await self._blame(fault, QUERIES))
        except TryLater as fault:  # one result's own trouble: the task is asked again, and no other waits for it
            log.warning("result.again", batch=polled.row.id, code=fault.code, message=self._house.clean(fault.message))
        finally:
            self._scopes.release(QUERIES, RESULTS)
            polled.asking = False
            self._later(polled)

    def _later(self, polled: Polled) -> None:
        """Grow the wait; with thousands of tasks stretch it, so that all get their turn within the rate."""
        poll = self._settings.model_studio.poll
        polled.wait = HIDDEN_EVERY if polled.hidden else poll_wait(polled.wait, poll.first, poll.longest)
        fair = len(self._open) / self._settings.model_studio.query_rate
        polled.due = self._clock.monotonic() + max(polled.wait, fair)

    async def _consider(self, polled: Polled, report: TaskReport) -> None:
        if report.status == "UNKNOWN":
            await (self._unknown(polled) if polled.mine else self._of_another(polled))
            return
        await self._seen(polled)
        if is_terminal(report):
            await self._bring_home(polled, _cleaned(report, self._house.clean))

    async def _of_another(self, polled: Polled) -> None:
        """Submitted under another key, which alone can see it: its files wait, and nothing is bought again."""
        polled.hidden = True
        await self._scopes.report(of_another_account(polled.row))

    async def _seen(self, polled: Polled) -> None:
        polled.unknown_since, polled.unknown_looks = None, 0
        if polled.hidden:
            polled.hidden = False
            if not any(other.hidden for other in self._open.values()):
                await self._scopes.works(ACCOUNT)

    async def _unknown(self, polled: Polled) -> None:
        """Dropped only when consistently unknown, to the identity that submitted, and not in a readable list."""
        now = self._clock.now()
        polled.unknown_looks += 1
        if polled.unknown_since is None:
            polled.unknown_since = now
            log.warning("task.unknown", batch=polled.row.id, task_id=polled.row.task_id)
        if polled.unknown_looks < STEADY_LOOKS:
            return
        old = self._age(polled.row) > EXPIRES_AFTER
        steady = now - polled.unknown_since >= self._settings.model_studio.lost_submit_grace
        if old or (steady and not await self._is_listed(polled.row)):
            await self._ledger.do(batches.dropped, polled.row.id, _dropped(polled.row), now)
            log.warning("task.dropped", batch=polled.row.id, task_id=polled.row.task_id, files=len(polled.row.items))
            del self._open[polled.row.id]
            self._on_again()
            self._on_answer()

    def _age(self, row: BatchRow) -> float:
        return age(row, self._house.recogniser.server_time, self._clock.now())

    async def _is_listed(self, row: BatchRow) -> bool:
        return any(task.task_id == row.task_id for task in await self._house.recogniser.list_tasks(None))

    async def _bring_home(self, polled: Polled, report: TaskReport) -> None:
        verdicts = judge(polled.row.items, report, self._settings.retry.attempts)
        verdicts = await self._believe_missing(polled, verdicts)
        verdicts = await self._acquit(polled.row, verdicts)
        fetches = [verdict for verdict in verdicts if isinstance(verdict, Fetch)]
        if fetches and not self._scopes.may_pass(RESULTS):
            fetches = []  # they are kept for hours; one task tries whether their host answers again
        faults: list[BaseException] = []
        for start in range(0, len(fetches), GROUP):
            faults += await self._fetch_group(polled, fetches[start : start + GROUP])
        for verdict in verdicts:
            await self._settle(polled.row, report, verdict)
        CLOSE.before()
        now = self._clock.now()
        closed = await self._ledger.do(batches.close_if_judged, polled.row.id, report.billed_seconds, now)
        CLOSE.recorded()
        if closed:
            self._open.pop(polled.row.id, None)
            log.info("batch.done", batch=polled.row.id, task_id=polled.row.task_id, files=len(polled.row.items))
        else:
            now_open = await self._ledger.look(batches.batch_row, polled.row.id)
            polled.row = polled.row if now_open is None else now_open
        if faults:
            raise faults[0]

    async def _believe_missing(self, polled: Polled, verdicts: list[Verdict]) -> list[Verdict]:
        """A file without a result may have been paid: it is believed only when a later look says the same."""
        missing = [
            verdict for verdict in verdicts if isinstance(verdict, SendAgain | Refuse) and verdict.code in UNSURE
        ]
        if not missing:
            return verdicts
        now = self._clock.monotonic()
        if polled.missing_since is None:
            polled.missing_since = now
            await self._notice_first_only(polled.row.model, verdicts)
        if now - polled.missing_since >= self._settings.model_studio.poll.longest:
            return verdicts
        return [verdict for verdict in verdicts if verdict not in missing]

    async def _notice_first_only(self, model: str, verdicts: Sequence[Verdict]) -> None:
        """Two tasks in a row that answer only their first URL: the account takes one a task."""
        missing = [isinstance(verdict, SendAgain) and verdict.code == MISSING for verdict in verdicts]
        first_only = len(missing) > 1 and missing == [False, *[True] * (len(missing) - 1)]
        self._first_only[model] = self._first_only[model] + 1 if first_only else 0
        if self._first_only[model] == FIRST_ONLY:
            await self._on_first_only(model, MISSING, "tasks answer only their first URL")

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
        await self._ledger.do(batches.acquit, unbroken, first.code)
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

    async def _settle(self, row: BatchRow, report: TaskReport, verdict: Verdict) -> None:
        match verdict:
            case NoSpeech(item, code):
                log.info("file.no-speech", recognition=item.recognition_id, code=code)
                await self._record(row, {item.recognition_id: gzip.compress(NOTHING_SAID, mtime=0)})
            case Refuse():
                await self._refuse(row, verdict, report.request_id)
            case SendAgain():
                await self._send_again(row, verdict)

    async def _fetch_group(self, polled: Polled, group: Sequence[Fetch]) -> list[BaseException]:
        """Bring some results home and record them together; return what went wrong with the others."""
        FETCH.before()
        outcomes = await asyncio.gather(*(self._fetch(polled, one) for one in group), return_exceptions=True)
        FETCH.effect()
        bodies = {
            one.item.recognition_id: body for one, body in zip(group, outcomes, strict=True) if isinstance(body, bytes)
        }
        await self._record(polled.row, bodies)
        FETCH.recorded()
        return [outcome for outcome in outcomes if isinstance(outcome, BaseException)]

    async def _fetch(self, polled: Polled, one: Fetch) -> bytes | None:
        """The checked result, compressed; None where the file was judged otherwise."""
        item = one.item
        async with self._fetching:
            try:
                raw = await self._house.recogniser.fetch(one.url, LARGEST_RESULT)
                return await asyncio.get_running_loop().run_in_executor(self._threads, _checked, raw)
            except ResultGone:
                await self._result_gone(polled, item)
            except UnusableResult as unusable:
                await self._unreadable(polled, item, "UnusableResult", str(unusable))
            except TryLater as fault:
                if fault.code.startswith("HTTP "):
                    raise OutOfOrder(RESULTS, "ResultRefused", fault.message, _RESULT_REMEDY) from fault
                await self._unreadable(polled, item, fault.code, fault.message)
        return None

    async def _unreadable(self, polled: Polled, item: Item, code: str, message: str) -> None:
        """A result that cannot be used: after some looks the file fails, for it would be paid again otherwise."""
        polled.unusable[item.recognition_id] += 1
        if polled.unusable[item.recognition_id] < FETCH_TRIES:
            raise TryLater(code, message)
        said = f"the service's result cannot be used: {self._house.clean(message)}"
        await self._refuse(polled.row, Refuse(item, code, said, "report it to the service"), None)

    async def _record(self, row: BatchRow, bodies: Mapping[int, bytes]) -> None:
        if bodies:
            await self._scopes.works(RESULTS)
            RECORD.before()
            await self._ledger.do(batches.answered, row.id, bodies, self._clock.now())
            RECORD.recorded()
            self._on_answer()

    async def _result_gone(self, polled: Polled, item: Item) -> None:
        """The address expired: ask for a fresh one first; then it is bought again, once.

        Before the result can have expired, the refusal is a proxy's, a firewall's or the clock's: nothing is bought.
        """
        if self._age(polled.row) <= EXPIRES_AFTER:
            message = "the address of a result is refused (403 or 404), though the result cannot have expired yet"
            raise OutOfOrder(RESULTS, "ResultForbidden", message, _RESULT_REMEDY)
        if item.recognition_id not in polled.gone:
            polled.gone.add(item.recognition_id)
            raise TryLater("ResultGone", "the result's address does not answer any more; asking for a new one")
        message = "the service deleted the result before it could be fetched"
        if item.rebuys:
            await self._refuse(
                polled.row, Refuse(item, "ResultGone", message, "`dropscribe retry` buys it again"), None
            )
            return
        await self._ledger.do(batches.buy_again, polled.row.id, item.recognition_id, "ResultGone", message)
        self._on_again()

    async def _refuse(self, row: BatchRow, verdict: Refuse, request_id: str | None) -> None:
        failure = Failure(
            verdict.code, verdict.message, verdict.remedy, request_id, row.task_id, verdict.item.attempts + 1
        )
        RECORD.before()
        await self._ledger.do(batches.refused, row.id, verdict.item.recognition_id, failure, self._clock.now())
        RECORD.recorded()
        log.warning("file.refused", recognition=verdict.item.recognition_id, code=verdict.code, message=verdict.message)
        self._on_answer()

    async def _send_again(self, row: BatchRow, verdict: SendAgain) -> None:
        retry, item = self._settings.retry, verdict.item
        wait = slow_wait(item.attempts, retry.first_wait, retry.longest_wait, 0.5) if verdict.charged else 0.0
        RECORD.before()
        until = self._clock.now() + wait
        more = Again(verdict.code, verdict.message, until, verdict.reupload, verdict.company, verdict.charged)
        await self._ledger.do(batches.again, row.id, item.recognition_id, more)
        RECORD.recorded()
        log.warning("file.again", recognition=item.recognition_id, code=verdict.code, retry_in=round(wait, 1))
        self._on_again()


def _cleaned(report: TaskReport, clean: Callable[[str], str]) -> TaskReport:
    """A service may repeat what it was told, secrets too."""
    results = report.results and tuple(
        replace(result, message=result.message and clean(result.message)) for result in report.results
    )
    return replace(report, results=results, message=report.message and clean(report.message))


def _checked(raw: bytes) -> bytes:
    """Parse it once, so that what is kept can be rendered; keep it as received but for the queries of its URLs."""
    parse(raw)
    return gzip.compress(without_url_queries(raw), compresslevel=6, mtime=0)


def _dropped(row: BatchRow) -> Failure:
    message = "the service does not know the task any more"
    return Failure("TaskDropped", message, "look at the bill, then `dropscribe retry`", task_id=row.task_id)
