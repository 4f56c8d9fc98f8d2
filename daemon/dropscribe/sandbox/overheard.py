"""What is said to every sandbox of this process, and what it answers: for tests that judge both. Off unless observed.

A request is told byte for byte as it came, not as the sandbox understood it: who judges it must be able to disagree.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from dropscribe.sandbox.answers import Answer
from dropscribe.sandbox.blobs import Body
from dropscribe.sandbox.calls import Call

KEPT = 256 * 1024
"""Bytes of a request's body that are remembered; of a longer one only size and MD5 are told."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `target` is path and query as they came; headers keep their order and spelling."""

    call: str
    """The sandbox's name for it, as in `faults.CALLS`; `unknown` for what it does not offer."""
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    """None where it was longer than KEPT, broke off, or was never read."""
    body_size: int | None
    """Bytes that came; None where they broke off or were never read."""
    body_md5: bytes | None
    status: int | None
    """None: the caller was left without an answer."""
    answer_headers: Mapping[str, str]
    answer: bytes | None
    """None where there is none, or where it is the content of an object."""
    faults: tuple[str, ...]
    """What the faults did to it."""
    moment: float
    """When it came: seconds since the epoch, on the sandbox's clock."""


Listener = Callable[[Exchange], None]
_listener: Listener | None = None
_strikes: ContextVar[list[str] | None] = ContextVar("strikes", default=None)


def observe(listener: Listener | None) -> Listener | None:
    """Tell `listener` of every exchange when it has ended (tests only), in the sandbox's thread; None ends it.

    Returns who was told until now.
    """
    global _listener  # the one switch, off in production
    before, _listener = _listener, listener
    return before


def note_strikes(done: Iterable[str]) -> None:
    """These faults strike the exchange under way, if it is heard."""
    if (strikes := _strikes.get()) is not None:
        strikes += done


class Hearing:
    """One exchange while it goes on. Its `call` is to be answered in place of the one that it was made of."""

    def __init__(self, call: Call, name: str, headers: tuple[tuple[str, str], ...], target: str, moment: float) -> None:
        self._body = _HeardBody(call.body, ended=not _has_body(call))
        self.call = replace(call, body=self._body)
        self._name, self._headers, self._target, self._moment = name, headers, target, moment
        self._strikes: list[str] = []
        _strikes.set(self._strikes)

    def ended(self, answer: Answer | None, headers: Mapping[str, str]) -> None:
        """Tell of it; `headers` are those that every answer has."""
        if _listener is None:
            return
        body = self._body
        _listener(
            Exchange(
                self._name,
                self.call.method,
                self._target,
                self._headers,
                bytes(body.data) if body.ended and body.size <= KEPT else None,
                body.size if body.ended else None,
                body.md5.digest() if body.ended else None,
                answer.status if answer else None,
                {**headers, **answer.headers, "Content-Type": answer.content_type} if answer else {},
                answer.body if answer and isinstance(answer.body, bytes) else None,
                tuple(self._strikes),
                self._moment,
            )
        )


def hearing(
    call: Call, name: str, headers: Iterable[tuple[bytes, bytes]], target: str, moment: float
) -> Hearing | None:
    """None where nobody listens; `headers` are the request's as they came."""
    if _listener is None:
        return None
    spelled = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in headers)
    return Hearing(call, name, spelled, target, moment)


def _has_body(call: Call) -> bool:
    return bool(call.size) or "transfer-encoding" in call.headers


@dataclass(slots=True)
class _HeardBody:
    """A body that remembers what was read of it."""

    inner: Body
    ended: bool
    data: bytearray = field(default_factory=bytearray)
    size: int = 0
    md5: "hashlib._Hash" = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    async def read(self) -> bytes:
        data = await self.inner.read()
        self._heard(data)
        self.ended = True
        return data

    async def iter_any(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner.iter_any():
            self._heard(chunk)
            yield chunk
        self.ended = True

    def _heard(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.md5.update(chunk)
        if self.size <= KEPT:
            self.data += chunk
