"""Results brought home, checked and compressed; whoever asks for large ones, these come one at a time."""

import asyncio
import gzip
from concurrent.futures import Executor

from dropscribe.errors import TryLater
from dropscribe.house import House
from dropscribe.remote.ports import TOO_LARGE
from dropscribe.transcript import check
from dropscribe.url_queries import without_url_queries

LARGEST_RESULT = 256 * 1024 * 1024
LARGE = 8 * 1024 * 1024
"""Bytes; a larger result is more than what is said in twelve hours. In memory it takes many times its size."""
SMALL = 64 * 1024
"""Bytes; a result that is no larger is checked at once, which takes less than handing it to a thread."""
AT_ONCE = 8


class Fetcher:
    """Fetches results for all tasks."""

    def __init__(self, house: House, threads: Executor) -> None:
        self._house = house
        self._threads = threads
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._alone = asyncio.Lock()

    async def fetch(self, url: str) -> bytes:
        """The result, compressed.

        Raises:
            UnusableResult: it is none.
            ResultGone, TryLater, OutOfOrder: as `Recogniser.fetch`.
        """
        try:
            async with self._at_once:
                return await self._fetched(url, LARGE)
        except TryLater as fault:
            if fault.code != TOO_LARGE:
                raise
        async with self._alone:
            return await self._fetched(url, LARGEST_RESULT)

    async def _fetched(self, url: str, largest: int) -> bytes:
        raw = await self._house.recogniser.fetch(url, largest)
        if len(raw) <= SMALL:
            return _checked(raw)
        return await asyncio.get_running_loop().run_in_executor(self._threads, _checked, raw)


def _checked(raw: bytes) -> bytes:
    """Looked at once, so that what is kept can be rendered; as received but for the queries of its URLs."""
    check(raw)
    return gzip.compress(without_url_queries(raw), compresslevel=6, mtime=0)
