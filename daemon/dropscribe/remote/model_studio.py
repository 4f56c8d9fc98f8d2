"""Alibaba Cloud Model Studio behind the house's `Recogniser`.

A submit costs money: it goes out once, and every end of it is either definite or `Ambiguous`. Questions are asked again
a few times within seconds. Nothing is logged here; everything is raised.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from dropscribe.clock import Clock
from dropscribe.config.settings import ModelStudioSettings
from dropscribe.config.urls import is_loopback
from dropscribe.error_codes import Call, classify_request
from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused, TryLater
from dropscribe.model import Accepted, Identity, ListedTask, TaskReport
from dropscribe.remote import answers
from dropscribe.remote.http import Answer, Cut, Http, Timeouts, TooLarge, Unreached
from dropscribe.remote.policy import Flicker, Pacer, retrying_get
from dropscribe.remote.ports import TOO_LARGE, ResultGone
from dropscribe.remote.result_hosts import BadAddress

_T = TypeVar("_T")

# The largest page is not documented; 10 is what the service gives where nothing is asked for.
PAGE_SIZES = (100, 50, 20, 10)
LIST_TRIES = 3
_LARGEST_ANSWER = 8 * 1024 * 1024
_AT_ONCE = 12  # questions in flight; those that wait for their turn hold no connection
_GONE = frozenset({403, 404, 410})
_FIX_NETWORK = "Check network, DNS, proxy and model_studio.endpoint."
_FIX_ANSWER = "Check model_studio.endpoint, and whether a proxy or a log-in page stands between."


class ModelStudio:
    """One account at one endpoint. Paces its calls: submits for each model, queries and lists together."""

    def __init__(
        self,
        settings: ModelStudioSettings,
        clock: Clock,
        ssl_context: ssl.SSLContext | None = None,
        *,
        timeouts: Timeouts | None = None,
        most_pages: int = 1000,
    ) -> None:
        self._base = settings.endpoint.rstrip("/") + "/api/v1"
        self._key = settings.api_key
        self._inside = is_loopback(settings.endpoint)  # a stand-in keeps its results beside itself
        self._clock = clock
        self._most_pages = most_pages
        self._page_sizes: tuple[int, ...] = PAGE_SIZES
        self._http = Http(ssl_context, timeouts=timeouts)
        self._submit_rate = settings.submit_rate
        self._submits: dict[str, Pacer] = {}
        self._questions = Pacer(settings.query_rate, clock)
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._fetching = asyncio.Semaphore(_AT_ONCE)
        self._last_date: tuple[float, float] | None = None
        self._identity = Identity(settings.endpoint.rstrip("/"), fingerprint(settings.api_key.reveal()))

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def server_time(self) -> float | None:
        if self._last_date is None:
            return None
        date, at = self._last_date
        return date + self._clock.boottime() - at  # boottime: a suspend does not stop the server

    async def submit(
        self, model: str, urls: Sequence[str], parameters: Mapping[str, Any], may_send: Callable[[], bool]
    ) -> Accepted:
        pacer = self._submits.setdefault(model, Pacer(self._submit_rate, self._clock))
        body = answers.submit_body(model, urls, parameters)
        await pacer.turn()
        answer = await self._post(body, may_send)
        if answer.status >= 300:
            raise self._refusal(answer, "submit", model, pacer)
        accepted = self._accepted(answer)
        pacer.worked()
        return accepted

    async def query(self, task_id: str) -> TaskReport:
        url = f"{self._base}/tasks/{quote(task_id, safe='')}"
        return await self._ask(url, "query", lambda body: answers.read_task(body, task_id))

    async def probe(self) -> None:
        """Once, without repeats: it is asked again when the scope is due."""
        url = f"{self._base}/tasks/?page_no=1&page_size={PAGE_SIZES[-1]}"
        try:
            await self._question(url, "list", answers.read_page)
        except Flicker as flicker:
            raise flicker.fault from flicker.__cause__

    def repace(self, submit_rate: float, query_rate: float) -> None:
        self._submit_rate = submit_rate
        self._questions.rate(query_rate)
        for pacer in self._submits.values():
            pacer.rate(submit_rate)

    async def list_tasks(self, model: str | None) -> Sequence[ListedTask]:
        """Filtered here and not by the service: how its filter treats a model's other names is not documented.

        What is returned may hold a task of a sibling model; it never lacks one of `model`.
        """
        for _ in range(LIST_TRIES):
            pages = await self._all_pages()
            if answers.is_whole(pages):
                distinct = {task.task_id: task for page in pages for task in page.tasks}
                return [task for task in distinct.values() if model is None or answers.may_be_of(model, task.model)]
        raise _no_whole_list("it kept changing while it was read")

    async def fetch(self, url: str, largest: int) -> bytes:
        """Network faults and 5xx raise OutOfOrder("results", "ResultUnreachable")."""

        async def once() -> bytes:
            async with self._fetching:
                return await self._download(url, largest)

        return await retrying_get(once, self._clock)

    async def close(self) -> None:
        await self._http.close()

    async def _post(self, body: bytes, may_send: Callable[[], bool]) -> Answer:
        headers = self._headers() | {"Content-Type": "application/json", "X-DashScope-Async": "enable"}
        url = f"{self._base}/services/audio/asr/transcription"
        try:
            answer = await self._http.post_once(url, headers, body, _LARGEST_ANSWER, may_send)
        except Unreached as error:
            raise _unreachable(error) from error
        except Cut as error:
            raise Ambiguous(f"the answer to the submit was lost: {error}") from error
        except TooLarge as error:
            raise Ambiguous("the answer to the submit is too large to be one") from error
        self._note_time(answer)
        return answer

    def _accepted(self, answer: Answer) -> Accepted:
        try:
            body = answers.read_object(answer.data)
        except answers.Unreadable as error:
            raise Ambiguous(f"the answer to the submit cannot be read: {error}") from error
        task_id = answers.read_accepted(body)
        if task_id is None:
            raise Ambiguous("the answer to the submit was a success without a task id")
        return Accepted(task_id, answers.read_refusal(answer.data, None).request_id, self.server_time)

    async def _ask(self, url: str, call: Call, read: Callable[[answers.Json], _T]) -> _T:
        async def once() -> _T:  # a lambda would hand tenacity a coroutine for a value
            return await self._question(url, call, read)

        return await retrying_get(once, self._clock)

    async def _question(self, url: str, call: Call, read: Callable[[answers.Json], _T]) -> _T:
        """Raises Flicker for what is worth a repeat."""
        async with self._asking:
            await self._questions.turn()
            return self._understood(await self._get(url), call, read)

    async def _get(self, url: str) -> Answer:
        try:
            answer = await self._http.get(url, self._headers(), _LARGEST_ANSWER)
        except (Unreached, Cut) as error:
            raise Flicker(_unreachable(error)) from error
        except TooLarge:
            raise Flicker(_unreadable("it is too large")) from None
        self._note_time(answer)
        return answer

    def _understood(self, answer: Answer, call: Call, read: Callable[[answers.Json], _T]) -> _T:
        if answer.status >= 300:
            error = self._refusal(answer, call, None, self._questions)
            raise Flicker(error) if answer.status >= 500 else error
        try:
            understood = read(answers.read_object(answer.data))
        except answers.Unreadable as error:
            code = answers.read_refusal(answer.data, None).code
            raise Flicker(_unreadable(f"{error} ({code})" if code else str(error))) from error
        self._questions.worked()
        return understood

    async def _all_pages(self) -> list[answers.ListPage]:
        """In the largest pages that the service takes; what it refused once is not asked for again."""
        while True:
            try:
                return await self._pages_of(self._page_sizes[0])
            except OutOfOrder as error:
                if not error.code.startswith("InvalidParameter") or len(self._page_sizes) == 1:
                    raise
            self._page_sizes = self._page_sizes[1:]

    async def _pages_of(self, size: int) -> list[answers.ListPage]:
        pages: list[answers.ListPage] = []
        for number in range(1, self._most_pages + 1):
            url = f"{self._base}/tasks/?page_no={number}&page_size={size}"
            pages.append(await self._ask(url, "list", answers.read_page))
            if answers.is_end(pages):
                return pages
        raise _no_whole_list(f"it has more than {self._most_pages} pages")

    async def _download(self, url: str, largest: int) -> bytes:
        try:
            answer = await self._http.fetch(url, largest, self._inside)
        except (Unreached, Cut) as error:
            raise Flicker(_result_unreachable(str(error))) from None
        except BadAddress as error:
            message = f"the service named an address that cannot be a result's: {error}"
            raise TryLater("BadResultAddress", message) from None
        except TooLarge:
            message = f"the result is larger than {largest} bytes"
            raise TryLater(TOO_LARGE, message, bound=1) from None
        if answer.status < 300:
            return answer.data
        raise _result_fault(answer.status)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key.reveal()}"}

    def _note_time(self, answer: Answer) -> None:
        date = answers.server_date(answer.headers.get("Date"))
        if date is not None:
            self._last_date = (date, self._clock.boottime())

    def _refusal(
        self, answer: Answer, call: Call, model: str | None, pacer: Pacer
    ) -> OutOfOrder | RequestRefused | Ambiguous:
        said = answers.read_refusal(answer.data, answer.headers.get("X-Request-Id"))
        error = classify_request(
            answer.status,
            said.code,
            said.message.replace(self._key.reveal() or "\0", "***"),
            call,
            model,
            retry_after=answers.retry_after(answer.headers.get("Retry-After"), self._clock.now()),
            request_id=said.request_id,
        )
        if isinstance(error, OutOfOrder) and (error.quiet or error.retry_after is not None):
            error.retry_after = pacer.quiet(error.retry_after)
        return error


def fingerprint(api_key: str) -> str:
    """What may be written down of a key: enough to tell two apart, nothing to guess one from."""
    return hashlib.sha256(b"dropscribe:" + api_key.encode()).hexdigest()[:16]


def _unreachable(error: Exception) -> OutOfOrder:
    return OutOfOrder("api", "Unreachable", f"Model Studio cannot be reached: {error}", _FIX_NETWORK)


def _unreadable(what: str) -> OutOfOrder:
    return OutOfOrder("queries", "UnreadableAnswer", f"Model Studio's answer cannot be understood: {what}", _FIX_ANSWER)


def _no_whole_list(why: str) -> OutOfOrder:
    return OutOfOrder(
        "queries",
        "IncompleteList",
        f"the list of tasks cannot be read as a whole: {why}",
        "It is read again by itself; nothing is sent twice meanwhile.",
    )


def _result_unreachable(why: str) -> OutOfOrder:
    message = f"a finished transcript cannot be downloaded: {why}"
    return OutOfOrder(
        "results", "ResultUnreachable", message, "Check network, DNS and proxy; results are kept for 24 hours."
    )


def _result_fault(status: int) -> Exception:
    if status in _GONE:
        return ResultGone(f"the result's address answers with status {status}")
    fault = _result_unreachable(f"its address answers with status {status}")
    if status >= 500 or status in (408, 425, 429):
        return Flicker(fault)
    return TryLater(f"HTTP {status}", fault.message)
