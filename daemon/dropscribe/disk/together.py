"""Waits for the disk that are shared: a journal makes many syncs that come together durable at the price of one."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

AT_ONCE = 8
"""Threads; with more, little is left to share (bench/RESULTS.md)."""


def together(act: Callable[[Item], Value], items: Iterable[Item]) -> list[Value]:
    """`act` of each, in a few threads; returns in the order of `items` when all have ended.

    Raises what the first of them raised; the others are done all the same.
    """
    waiting = list(items)
    if len(waiting) < 2:
        return [act(item) for item in waiting]
    with ThreadPoolExecutor(min(AT_ONCE, len(waiting)), thread_name_prefix="sync") as threads:
        return list(threads.map(act, waiting))
