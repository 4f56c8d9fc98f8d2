"""What files would cost before anything is spent: pure. Items in, sums and lines for people and programs out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dropscribe.allowance import KEYS, Balance, hours
from dropscribe.prices import PriceList

MOST_NAMED = 20
SizeText = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Item:
    """A recording that would be paid for. `seconds`: what is billed at most; `guessed`: by its size alone."""

    inbox: str
    path: str
    model: str
    size: int
    seconds: float
    guessed: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """Many of them."""

    name: str
    model: str
    files: int
    guessed: int
    bytes: int
    seconds: float
    price: float | None


@dataclass(frozen=True, slots=True)
class Quote:
    """All that `plan` tells. `known` files are paid for or under way, `copies` share one of the others."""

    sums: tuple[Sum, ...]
    known: int
    copies: int
    not_taken: tuple[tuple[str, str], ...]
    """(path, why) of what costs nothing because it is not taken, or fails before its upload."""
    prices: PriceList
    balances: tuple[Balance, ...]
    too_long: tuple[Item, ...]


def quote(
    items: Sequence[Item],
    known: int,
    copies: int,
    not_taken: Sequence[tuple[str, str]],
    prices: PriceList,
    balances: Sequence[Balance],
) -> Quote:
    """The sums of each inbox, in the order of the items."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.inbox, item.model), []).append(item)
    sums = tuple(_sum(name, model, group, prices) for (name, model), group in groups.items())
    smallest = min((balance.limit.seconds for balance in balances), default=float("inf"))
    too_long = tuple(item for item in items if item.seconds > smallest)
    return Quote(sums, known, copies, tuple(not_taken), prices, tuple(balances), too_long)


def _sum(name: str, model: str, items: Sequence[Item], prices: PriceList) -> Sum:
    seconds = sum(item.seconds for item in items)
    guessed, size = sum(item.guessed for item in items), sum(item.size for item in items)
    return Sum(name, model, len(items), guessed, size, seconds, prices.of(model, seconds))


def together(sums: Iterable[Sum]) -> Sum:
    """All inboxes. The price is None where one of them is."""
    found = list(sums)
    prices = [one.price for one in found]
    price = None if None in prices else sum(price for price in prices if price is not None)
    files, guessed = sum(one.files for one in found), sum(one.guessed for one in found)
    return Sum("together", "", files, guessed, sum(s.bytes for s in found), sum(s.seconds for s in found), price)


def lines(told: Quote, size_text: SizeText) -> Iterator[str]:
    """For people."""
    whole = together(told.sums)
    shown = [*told.sums, whole] if len(told.sums) > 1 else list(told.sums)
    width = max((len(one.name) for one in shown), default=0)
    for one in shown:
        yield f"{one.name:<{width}}  {_line(one, told.prices, size_text)}"
    if not told.sums:
        yield "Nothing would be paid for."
    if whole.guessed:
        yield f"~ {_files(whole.guessed)} could only be judged by size, so their hours are guessed."
    yield from _remarks(told)
    if told.sums:
        prices = told.prices
        dated = f", as of {prices.as_of}" if prices.as_of else ""
        yield f"Prices: {prices.where}, {prices.currency}{dated}. Speech is billed, so rather less."
    yield from _limits(told, whole.seconds)


def _line(one: Sum, prices: PriceList, size_text: SizeText) -> str:
    price = f"about {one.price:.2f} {prices.currency}" if one.price is not None else "price not known"
    mark = "~" if one.guessed else ""
    model = f" ({one.model})" if one.model else ""
    return f"{_files(one.files)}, {mark}{hours(one.seconds)}, {size_text(one.bytes)}, {price}{model}"


def _remarks(told: Quote) -> Iterator[str]:
    if told.known:
        yield f"{_files(told.known)} cost nothing: they are recognised already, or paid for and under way."
    if told.copies:
        yield f"{_files(told.copies)} cost nothing: the same content is counted once."
    for path, why in told.not_taken[:MOST_NAMED]:
        yield f"not taken: {path}: {why}"
    if len(told.not_taken) > MOST_NAMED:
        yield f"not taken: {len(told.not_taken) - MOST_NAMED} more; `dropscribe status` says why"


def _limits(told: Quote, seconds: float) -> Iterator[str]:
    for balance in told.balances:
        key, limit = KEYS[balance.limit.name], balance.limit
        left = f"{hours(balance.left)} of {hours(limit.seconds)} are left this {limit.name} (`{key}`)"
        yield f"Limits: {left}{'; what does not fit waits for the next' if seconds > balance.left else ''}."
    for item in told.too_long[:MOST_NAMED]:
        yield f"Longer than a whole limit, so it would wait until that is raised: {item.inbox}: {item.path}"


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


def to_json(told: Quote) -> dict[str, Any]:
    """For programs."""
    return {
        "inboxes": [_sum_json(one, told.prices) for one in told.sums],
        "total": _sum_json(together(told.sums), told.prices),
        "known": told.known,
        "copies": told.copies,
        "not_taken": [{"path": path, "reason": why} for path, why in told.not_taken],
        "prices": {"where": told.prices.where, "currency": told.prices.currency, "as_of": told.prices.as_of or None},
        "limits": [
            {"window": one.limit.name, "hours": one.limit.seconds / 3600, "left_hours": round(one.left / 3600, 4)}
            for one in told.balances
        ],
        "too_long": [{"inbox": item.inbox, "path": item.path} for item in told.too_long],
    }


def _sum_json(one: Sum, prices: PriceList) -> dict[str, Any]:
    price = None if one.price is None else round(one.price, 4)
    sums = {"files": one.files, "hours": round(one.seconds / 3600, 4), "bytes": one.bytes, "guessed_files": one.guessed}
    named = {"name": one.name, "model": one.model} if one.model else {}
    return {**named, **sums, "price": price, "currency": prices.currency}
