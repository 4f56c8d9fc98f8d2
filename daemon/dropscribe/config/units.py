"""Durations and sizes: a number and its unit."""

import re
from collections.abc import Callable
from decimal import Decimal

from dropscribe.config.reading import Reader, T, Wrong, scalar, written
from dropscribe.config.wording import found
from dropscribe.config.yaml_lines import Node, Scalar, resolve

SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
BYTES = {
    "B": 1,
    **{"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40},
}
A_DURATION = "a number and ms, s, m, h or d, such as 90s"
A_SIZE = "a number and KB, MB or GB (or KiB, MiB, GiB), such as 500MB"

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}) ?(ms|s|m|h|d)")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}) ?([A-Za-z]{1,3})")
_ZERO = re.compile(r"0(\.0*)?")


def seconds(text: str) -> float:
    """`1.5h` gives 5400.0; `0` alone needs no unit. Raises Wrong."""
    if _ZERO.fullmatch(text):
        return 0.0
    match = _DURATION.fullmatch(text)
    if not match:
        raise Wrong(f"{found(text)} {_no_unit(text, A_DURATION)}")
    return float(Decimal(match[1]) * SECONDS[match[2]])


def size(text: str) -> int:
    """`500MB` gives 500000000: KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024. Raises Wrong."""
    if _ZERO.fullmatch(text):
        return 0
    match = _SIZE.fullmatch(text)
    if not match or match[2].upper() not in BYTES:
        raise Wrong(f"{found(text)} {_no_unit(text, A_SIZE)}")
    return int(Decimal(match[1]) * BYTES[match[2].upper()])


def _no_unit(text: str, right: str) -> str:
    bare = isinstance(resolve(text), int | float) and not isinstance(resolve(text), bool)
    return f"has no unit; right is {right}" if bare else f"cannot be understood; right is {right}"


def duration(least: str = "0", most: str = "36500d", above_zero: bool = False) -> Reader[float]:
    """Seconds between two durations, both included."""
    low, high = seconds(least), seconds(most)
    right = f"a duration above 0 and at most {most}" if above_zero else f"a duration from {least} to {most}"

    def read(node: Node) -> float:
        value = scalar(node, f"{A_DURATION}")
        result = _filled(value, seconds, A_DURATION)
        if not low <= result <= high or (above_zero and not result):
            raise Wrong(f"{written(value)} is out of range; right is {right}")
        return result

    return read


def byte_count(least: str, most: str) -> Reader[int]:
    """Bytes between two sizes, both included."""
    low, high = size(least), size(most)

    def read(node: Node) -> int:
        value = scalar(node, A_SIZE)
        result = _filled(value, size, A_SIZE)
        if not low <= result <= high:
            raise Wrong(f"{written(value)} is out of range; right is a size from {least} to {most}")
        return result

    return read


def _filled(value: Scalar, parse: Callable[[str], T], right: str) -> T:
    """`parse` the text; where it was filled in, its complaint must not show what it was filled in with."""
    try:
        return parse(value.text.strip())
    except Wrong:
        if value.written is None:
            raise
    raise Wrong(f"{written(value)} holds something else; right is {right}")
