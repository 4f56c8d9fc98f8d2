"""What an HTTP library reads an upload from, made so that a fault of the source stays one."""

from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

from dropscribe.errors import SourceChanged

_T = TypeVar("_T")


class _SourceFailed(Exception):
    """Of no kind that an HTTP library catches, wraps or swallows."""


class UploadBody:
    """Exactly `size` bytes of `source`; remembers what went wrong while they were read.

    urllib3 would wrap an OSError of the source as a fault of the network, and swallows a broken pipe and waits for an
    answer.
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size
        self._failure: BaseException | None = None
        self.len = size

    def carried(self, upload: Callable[[Any], _T]) -> _T:
        """What `upload` returns when it is given this body; a failure of the source comes through unchanged."""
        try:
            result = upload(self if self.len else b"")  # what can be read is sent, and there is nothing
        except BaseException:
            if self._failure is not None:
                raise self._failure from None
            raise
        if self._failure is not None:
            raise self._failure
        return result

    def read(self, amount: int | None = None) -> bytes:
        wanted = self._left if amount is None or amount < 0 else min(amount, self._left)
        if wanted == 0:
            return b""
        try:
            data = self._source.read(wanted)
        except BaseException as error:
            self._failure = error
            raise _SourceFailed from error
        if not data:
            self._failure = SourceChanged(f"the file ended {self._left} bytes early while it was being uploaded")
            raise _SourceFailed
        self._left -= len(data)
        return data
