"""Results come home checked and compressed, small ones beside each other, large ones one at a time."""

import asyncio
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dropscribe.errors import TryLater
from dropscribe.fetching import AT_ONCE, LARGE, LARGEST_RESULT, SMALL, Fetcher
from dropscribe.house import House
from dropscribe.remote.ports import TOO_LARGE, ResultGone
from dropscribe.transcript import UnusableResult


class Results:
    """A service that keeps these documents; `most` were fetched at once, `asked` with these limits."""

    def __init__(self, **documents: bytes | Exception) -> None:
        self.documents = documents
        self.running = self.most = 0
        self.asked: list[int] = []

    async def fetch(self, url: str, largest: int) -> bytes:
        found = self.documents[url]
        self.asked.append(largest)
        if isinstance(found, Exception):
            raise found
        if len(found) > largest:
            raise TryLater(TOO_LARGE, "too large", bound=1)
        self.running += 1
        self.most = max(self.most, self.running)
        for _ in range(3):  # turns, in which the others could begin
            await asyncio.sleep(0)
        self.running -= 1
        return found


def document(size: int = 0) -> bytes:
    return json.dumps({"file_url": "https://b/a?Signature=s", "transcripts": [], "padding": "x" * size}).encode()


async def fetched(results: Results, *urls: str) -> list[Any]:
    with ThreadPoolExecutor(2) as threads:
        fetcher = Fetcher(cast(House, SimpleNamespace(recogniser=results)), threads)
        return await asyncio.gather(*map(fetcher.fetch, urls), return_exceptions=True)


@pytest.mark.parametrize("size", [0, SMALL + 1])
async def test_a_result_is_kept_compressed_and_without_the_queries_of_its_urls(size: int) -> None:
    [body] = await fetched(Results(a=document(size)), "a")

    assert gzip.decompress(body) == document(size).replace(b"?Signature=s", b"")


async def test_small_results_are_fetched_beside_each_other_and_no_more_than_so_many() -> None:
    results = Results(a=document())

    await fetched(results, *"a" * 3 * AT_ONCE)

    assert results.most == AT_ONCE


async def test_large_results_are_fetched_one_at_a_time() -> None:
    results = Results(a=document(LARGE), b=document(LARGE), c=document(LARGE))

    bodies = await fetched(results, "a", "b", "c")

    assert [len(gzip.decompress(body)) > LARGE for body in bodies] == [True] * 3
    assert results.most == 1
    assert sorted(results.asked) == [LARGE] * 3 + [LARGEST_RESULT] * 3


async def test_what_is_no_result_or_is_not_to_be_had_is_told_as_it_is() -> None:
    faults = {"gone": ResultGone("gone"), "refused": TryLater("HTTP 400", "no")}
    results = Results(page=b"<html>busy</html>", **faults)

    page, *others = await fetched(results, "page", "gone", "refused")

    assert isinstance(page, UnusableResult)
    assert others == list(faults.values())


async def test_a_result_beyond_every_bound_is_refused() -> None:
    [refused] = await fetched(Results(a=TryLater(TOO_LARGE, "too large", bound=1)), "a")

    assert (type(refused), refused.code) == (TryLater, TOO_LARGE)
