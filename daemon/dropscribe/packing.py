"""Which ready recognitions travel together, and when: pure."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dropscribe.ledger.rows import ReadyGroup

MEGABYTE = 1024 * 1024
CLASS_BOUNDS = (32 * MEGABYTE, 256 * MEGABYTE)
"""Results appear only when a whole task ends: a twelve-hour film must not hold 99 memos back."""


def size_class(size: int) -> int:
    """0, 1, 2: recognitions of one class end at about the same time."""
    return sum(size > bound for bound in CLASS_BOUNDS)


def recipe_label(model: str, settings: str) -> str:
    """A short name for a model with its settings: what works for one need not work for another."""
    return model if settings == "{}" else f"{model}/{hashlib.sha256(settings.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class Departure:
    """A batch that leaves now: up to `limit` of this group."""

    group: ReadyGroup
    limit: int


@dataclass(frozen=True)
class Timetable:
    """What leaves now, and when (seconds since the epoch) to look again; None: when something becomes ready."""

    now: tuple[Departure, ...]
    next_at: float | None


def timetable(
    groups: Sequence[ReadyGroup],
    limit_of: Callable[[ReadyGroup], int],
    now: float,
    max_wait: float,
    hurry: bool = False,
) -> Timetable:
    """Decide which groups leave: full ones at once, the others when their oldest member has waited `max_wait` seconds.

    `limit_of(group)` is the number of URLs a task of its model and settings may have now. `hurry`: nobody else will
    come.
    """
    leaving: list[Departure] = []
    waits: list[float] = []
    for group in groups:
        allowed = limit_of(group)
        limit = min(group.company, allowed) if group.company else allowed
        full, rest = divmod(group.count, limit)
        departs_at = group.oldest + max_wait
        if rest and (hurry or departs_at <= now):
            full, rest = full + 1, 0
        leaving += [Departure(group, limit)] * full
        if rest:
            waits.append(max(departs_at, now))
    return Timetable(tuple(leaving), min(waits, default=None))
