"""What may be spent in a day and in a month, and what still fits: pure. All in seconds of billed sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

Name = Literal["day", "month"]
KEYS: Mapping[str, str] = {"day": "limits.hours_per_day", "month": "limits.hours_per_month"}


@dataclass(frozen=True, slots=True)
class Windows:
    """The calendar day and month of a moment: when each began and when the next begins, in epoch seconds."""

    day: float
    next_day: float
    month: float
    next_month: float


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `seconds` from `since` on."""

    name: Name
    seconds: float
    since: float


@dataclass(frozen=True, slots=True)
class Balance:
    """A limit, and what is spent or reserved of it."""

    limit: Limit
    used: float

    @property
    def left(self) -> float:
        return max(0.0, self.limit.seconds - self.used)


def windows(now: float, zone: tzinfo | None = None) -> Windows:
    """Day and month by the calendar of `zone`; None: the machine's own local time, with its summer time."""
    today = datetime.fromtimestamp(now).astimezone() if zone is None else datetime.fromtimestamp(now, zone)
    noon = datetime(today.year, today.month, today.day)
    month = noon.replace(day=1)
    next_month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    next_day = datetime.fromordinal(noon.toordinal() + 1)
    return Windows(*(_begin(day, zone) for day in (noon, next_day, month, next_month)))


def _begin(day: datetime, zone: tzinfo | None) -> float:
    """When a date begins there: naive dates are local time to `timestamp`."""
    return (day if zone is None else day.replace(tzinfo=zone)).timestamp()


def limits_now(hours_per_day: float | None, hours_per_month: float | None, now: Windows) -> tuple[Limit, ...]:
    """The limits of the windows of this moment; none where nothing is limited."""
    asked: tuple[tuple[Name, float | None, float], ...] = (
        ("day", hours_per_day, now.day),
        ("month", hours_per_month, now.month),
    )
    return tuple(Limit(name, hours * 3600.0, since) for name, hours, since in asked if hours is not None)


def obstacle(seconds: float, balances: Sequence[Balance], guessed: bool = False) -> str | None:
    """Why a payment of so many seconds has to wait, as a sentence; None where it fits into every limit."""
    its = f"its {hours(seconds)}{' (guessed by its size)' if guessed else ''}"
    for balance in balances:
        key, limit = KEYS[balance.limit.name], balance.limit
        if seconds > limit.seconds:
            return (
                f"{its} are more than the whole {limit.name}'s limit of {hours(limit.seconds)}: "
                f"it waits until `{key}` is raised and dropscribe reloaded"
            )
    for balance in balances:
        if seconds > balance.left:
            key, limit = KEYS[balance.limit.name], balance.limit
            return f"{its} do not fit into what is left of the {limit.name}'s {hours(limit.seconds)} (`{key}`)"
    return None


def after(balances: Sequence[Balance], seconds: float) -> tuple[Balance, ...]:
    """The balances when so many seconds more are reserved."""
    return tuple(Balance(balance.limit, balance.used + seconds) for balance in balances)


def hours(seconds: float) -> str:
    """`1.5 h`, `2.0 min`, `8 s`: for people."""
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
