"""Readers of single values and of lists of them: words, numbers, switches, keys, paths."""

import math
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from dropscribe.config.reading import Flaw, Reader, Reported, T, Wrong, is_nothing, meant, scalar, written
from dropscribe.config.wording import join, listed, nearest, seen
from dropscribe.config.yaml_lines import Broken, Items, Node, Scalar, Table, resolve
from dropscribe.model import Secret

LONGEST_NAME = 60
"""Characters of a speaker's name."""


def text_of(right: str) -> Reader[str]:
    """Text on one line, not empty. A number counts as the text it is written as."""

    def read(node: Node) -> str:
        value = scalar(node, right)
        if isinstance(value.value, bool):
            raise Wrong(f"is the boolean {written(value)}; right is {right} (in quotes, if that is meant)")
        if not value.text.strip():
            raise Wrong(f"is empty; right is {right}")
        if not value.text.isprintable():
            raise Wrong(f"holds a line break, a control character or broken text; right is {right}")
        return value.text

    return read


def matching(pattern: str, right: str) -> Reader[str]:
    """Text that fits `pattern` as a whole; the value is not shown, it may be a key in the wrong place."""
    compiled = re.compile(pattern)
    text = text_of(right)

    def read(node: Node) -> str:
        value = text(node)
        if not compiled.fullmatch(value):
            raise Wrong(f"is not possible; right is {right}")
        return value

    return read


token = matching(r"[!-~]{1,8000}", "a key on one line, of ASCII characters without spaces")


def secret(node: Node) -> Secret:
    """Like `token`, hidden."""
    return Secret(token(node))


def nullable(read: Reader[T]) -> Reader[T | None]:
    """None for null and for empty text (an environment variable that is set to nothing)."""

    def read_or_none(node: Node) -> T | None:
        return None if is_nothing(node) else read(node)

    return read_or_none


def boolean(node: Node) -> bool:
    value = scalar(node, "true or false")
    read = meant(value)
    if not isinstance(read, bool):
        raise Wrong(f"{written(value)} is neither true nor false; right is true or false, without quotes")
    return read


def whole(least: int, most: int | None = None) -> Reader[int]:
    """A whole number within its bounds, both included."""
    right = f"a whole number from {least} to {most}" if most is not None else f"a whole number from {least} on"

    def read(node: Node) -> int:
        value = scalar(node, right)
        number = meant(value)
        if isinstance(number, bool) or not isinstance(number, int):
            raise Wrong(f"{written(value)} is not a whole number{_unquote(value)}; right is {right}")
        if number < least or (most is not None and number > most):
            raise Wrong(f"{written(value)} is out of range; right is {right}")
        return number

    return read


def number(above: float | None = None, most: float | None = None) -> Reader[float]:
    """A finite number greater than `above` and at most `most`."""
    bounds = [f"above {above:g}"] if above is not None else []
    bounds += [f"at most {most:g}"] if most is not None else []
    right = " ".join(["a number", " and ".join(bounds)]).strip()

    def read(node: Node) -> float:
        value = scalar(node, right)
        read = meant(value)
        if isinstance(read, bool) or not isinstance(read, int | float) or not math.isfinite(read):
            raise Wrong(f"{written(value)} is not a number{_unquote(value)}; right is {right}")
        if (above is not None and read <= above) or (most is not None and read > most):
            raise Wrong(f"{written(value)} is out of range; right is {right}")
        return float(read)

    return read


def _unquote(value: Scalar) -> str:
    quoted = not value.plain and value.written is None and not isinstance(resolve(value.text), str)
    return " in quotes" if quoted else ""


def choice(*options: str, later: str | None = None) -> Reader[str]:
    """One of a few words; `later` is a further one that is refused until a later release."""
    right = listed(options)

    def read(node: Node) -> str:
        value = scalar(node, right)
        if value.text == later:
            raise Wrong(f"`{later}` is refused until a later release; right is {right}")
        if value.text not in options:
            raise Wrong(f"{written(value)} is not known{nearest(value.text, options)}; right is {right}")
        return value.text

    return read


def list_of(read: Reader[T], right: str, least: int = 0, unique: bool = False) -> Reader[tuple[T, ...]]:
    """A list of such values; the flaws of all its items at once."""

    def read_all(node: Node) -> tuple[T, ...]:
        if not isinstance(node, Items):
            raise Wrong(f"{_not_a_list(node)}; right is {right}")
        if len(node.items) < least:
            raise Wrong(f"is an empty list; right is {right}")
        values, flaws, complete = _each(node, read)
        flaws += _repeats(node, values) if unique else []
        if flaws:
            raise Wrong(*flaws)
        if not complete:
            raise Reported
        return tuple(values.values())

    return read_all


def _not_a_list(node: Node) -> str:
    if isinstance(node, Broken):
        raise Reported
    if isinstance(node, Table):
        return "is a mapping"
    return "is empty" if is_nothing(node) else "is a single value, not a list"


def _each(node: Items, read: Reader[T]) -> tuple[dict[int, T], list[Flaw], bool]:
    """The values that can be read, by index; the flaws of the others; whether none of them was reported before."""
    values: dict[int, T] = {}
    flaws: list[Flaw] = []
    complete = True
    for index, item in enumerate(node.items):
        try:
            values[index] = read(item)
        except Wrong as wrong:
            flaws += [Flaw(f.message, f"[{index}]{f.suffix}", f.line or item.line) for f in wrong.flaws]
        except Reported:
            complete = False
    return values, flaws, complete


def _repeats(node: Items, values: Mapping[int, object]) -> list[Flaw]:
    firsts: dict[object, int] = {}
    flaws = []
    for index, value in values.items():
        if firsts.setdefault(value, index) != index:
            message = f"`{seen(str(value))}` stands in the list twice; name it once"
            flaws.append(Flaw(message, f"[{index}]", node.items[index].line))
    return flaws


def names_by_number(right: str) -> Reader[dict[int, str]]:
    """A mapping of whole numbers to short names on one line."""
    name = text_of("a name")

    def read(node: Node) -> dict[int, str]:
        if isinstance(node, Broken):
            raise Reported
        if not isinstance(node, Table):
            raise Wrong(f"is no mapping; right is {right}")
        values: dict[int, str] = {}
        flaws: list[Flaw] = []
        for key, value in node.entries.items():
            try:
                values[_index(key, right)] = _short(name(value))
            except Wrong as wrong:
                suffix = join("", key)
                flaws += [Flaw(f.message, f".{suffix}{f.suffix}", f.line or value.line) for f in wrong.flaws]
        if flaws:
            raise Wrong(*flaws)
        return values

    return read


def _index(key: str, right: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) <= 4):
        raise Wrong(f"is not a number of the recogniser, which counts from 0; right is {right}")
    return int(key)


def _short(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise Wrong(f"is longer than {LONGEST_NAME} characters; right is a name")
    return name.strip()


def path(node: Node) -> Path:
    """A path as it is written, not yet absolute; any bytes that a file system can hold, but no control characters."""
    value = scalar(node, "the path of a folder")
    text = value.text
    if not text.strip():
        raise Wrong("is empty; right is the path of a folder")
    if isinstance(value.value, bool):
        raise Wrong(f"is the boolean {written(value)}; right is the path of a folder (./{text}, if that is meant)")
    if text.startswith("~"):
        raise Wrong("`~` does not stand for a home here; write the whole path, or begin it with ${HOME}")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text) or not _encodable(text):
        raise Wrong("holds a line break, a control character or broken text; right is the path of a folder")
    return Path(text)


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def folder_or(*words: str) -> Reader[Path | str]:
    """A path, or one of the words. What is nearly one of them is no folder: sources would be moved that are to stay."""

    def read(node: Node) -> Path | str:
        text = node.text if isinstance(node, Scalar) else ""
        if text in words:
            return text
        if close := get_close_matches(text.lower(), words, n=1, cutoff=0.74):
            raise Wrong(
                f"`{text}` is no word known here (did you mean `{close[0]}`?); a folder of that name is `./{text}`"
            )
        return path(node)

    return read
