"""Waits for the disk that are shared: a journal makes many syncs that come together durable at the price of one."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
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
    left: SimpleQueue[int] = SimpleQueue()
    for number in range(len(waiting)):
        left.put(number)
    values: dict[int, Value] = {}
    faults: dict[int, Exception] = {}

    def act_on() -> None:
        with contextlib.suppress(Empty):
            while True:
                number = left.get_nowait()  # an order to the pool for each item would cost a wake-up for each
                try:
                    values[number] = act(waiting[number])
                except Exception as error:
                    faults[number] = error

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sync") as threads:
        for thread in [threads.submit(act_on) for _ in range(min(AT_ONCE, len(waiting)))]:
            thread.result()
    if faults:
        raise faults[min(faults)]
    return [values[number] for number in range(len(waiting))]
