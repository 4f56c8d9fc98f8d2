"""What the house asks of the services it does not own. The vendors end at the adapters behind these Protocols.

Errors: every method raises only `OutOfOrder`, `TryLater`, `Refused`, `RequestRefused`, `Ambiguous` (see `errors`) and
what its docstring names.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from dropscribe.model import Accepted, Identity, ListedTask, Part, TaskReport


class NoSuchUpload(Exception):
    """The storage does not know (any more) the multipart upload that was named."""


class ObjectStore(Protocol):
    """Objects under keys. Blocking and thread-safe: called from bounded threads."""

    def put(self, key: str, source: BinaryIO, size: int) -> int:
        """Store `size` bytes privately; return the server's CRC-64/XZ of the object.

        An exception that `source.read` raises comes through unchanged (that is how an upload is cut).
        """
        ...

    def initiate(self, key: str) -> str:
        """Begin a multipart upload; return its id."""
        ...

    def put_part(self, key: str, upload_id: str, number: int, source: BinaryIO, size: int) -> Part:
        """Store part `number` (from 1). Raises NoSuchUpload."""
        ...

    def list_parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """All parts the storage holds. Raises NoSuchUpload."""
        ...

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> int:
        """Make the object of its parts; return the server's CRC-64/XZ of the whole. Raises NoSuchUpload."""
        ...

    def abort(self, key: str, upload_id: str) -> None:
        """Drop an unfinished upload; one that does not exist is fine."""
        ...

    def unfinished(self, key: str) -> Sequence[str]:
        """Ids of unfinished multipart uploads of exactly this key (after a crash between begin and record)."""
        ...

    def head(self, key: str) -> tuple[int, int | None] | None:
        """(size, CRC-64) of an object, or None where there is none."""
        ...

    def delete(self, key: str) -> None:
        """Delete one object; one that does not exist is fine."""
        ...

    def delete_many(self, keys: Sequence[str]) -> None:
        """Delete up to 1000 objects in one request; those that do not exist are fine."""
        ...

    def signed_url(self, key: str, lifetime: float) -> str:
        """A GET URL on the public endpoint, valid for `lifetime` seconds. Pure computation."""
        ...


class Recogniser(Protocol):
    """The paid service: one task per submit. Paces itself within the service's rate limits."""

    @property
    def identity(self) -> Identity:
        """Who submits, and where."""
        ...

    @property
    def server_time(self) -> float | None:
        """The server's clock now (its last `Date` plus what has passed), or None before the first answer."""
        ...

    async def submit(
        self, model: str, urls: Sequence[str], parameters: Mapping[str, Any], may_send: Callable[[], bool]
    ) -> Accepted:
        """POST once, on a fresh connection, no retries. `may_send` is asked at the last moment before the request.

        Raises `TooLate` when `may_send` said no (nothing left the house); `RequestRefused`, `OutOfOrder` where the
        service definitely did not take it; `Ambiguous` for everything else.
        """
        ...

    async def query(self, task_id: str) -> TaskReport:
        """One task. Fast retries inside."""
        ...

    async def probe(self) -> None:
        """Ask for the first page of the task list: the cheapest proof that the API is there and takes our key."""
        ...

    def repace(self, submit_rate: float, query_rate: float) -> None:
        """From now on, so many submits (of each model) and questions a second."""
        ...

    async def list_tasks(self, model: str | None) -> Sequence[ListedTask]:
        """All pages of the last 24 hours; raises rather than return a part of it."""
        ...

    async def fetch(self, url: str, largest: int) -> bytes:
        """A result document, without the Authorization header.

        Raises `ResultGone` on 403 and 404, `TryLater` beyond `largest` bytes (`TOO_LARGE`) and for other statuses.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class TooLate(Exception):
    """The moment to send had passed; nothing was sent."""


class Unreachable(Exception):
    """Nobody answers at an address from here. Says why, without the address."""


TOO_LARGE = "ResultTooLarge"
"""The code of a `TryLater`."""


class ResultGone(Exception):
    """The result URL does not answer any more (expired or deleted)."""
