"""YAML text to plain nodes that remember their lines.

Stricter and duller than YAML 1.1, because a configuration is read by people: only `true` and `false` are booleans (`no`
is Norwegian), no dates, no sexagesimal numbers, no tags, no merge keys, one document, and a key stands once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from dropscribe.config.wording import join, seen
from dropscribe.errors import Problem

LARGEST_FILE = 1_000_000
"""Bytes of a configuration file."""
DEEPEST = 20
MOST_ALIASES = 50
MOST_NODES = 200_000
"""Values in all, aliases counted as often as they are used: what a bomb of aliases runs into."""

_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,50}|[0-9]{1,50}(\.[0-9]{0,50})?)([eE][-+]?[0-9]{1,4})?")
_WORDS: Mapping[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN"), float("nan")),
}

Plain = str | int | float | bool | None


@dataclass(frozen=True)
class Scalar:
    """One value. `plain` is false where it was quoted; `written` is what stood there before `${...}` was filled in."""

    line: int
    text: str
    plain: bool = True
    written: str | None = None

    @property
    def value(self) -> Plain:
        """What YAML's core schema makes of it; quoted text stays text, and so does what was filled in."""
        return resolve(self.text) if self.plain and self.written is None else self.text


@dataclass(frozen=True)
class Items:
    """A list."""

    line: int
    items: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Table:
    """A mapping; a value's line is that of its key."""

    line: int
    entries: Mapping[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class Broken:
    """A value that cannot be used; its fault is reported already."""

    line: int


Node = Scalar | Items | Table | Broken


class Unreadable(Exception):
    """The text cannot be understood beyond this point: one fault, and no values."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def resolve(text: str) -> Plain:
    """Plain text by the core schema of YAML 1.2; numbers of absurd length stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def parse(text: str) -> tuple[Node, list[Problem]]:
    """The only document of `text`, with the keys that stand twice as problems. Raises Unreadable."""
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Unreadable(line, f"this is not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "holds a control character; write text only") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets chr() fail on an escape such as "\UFFFFFFFF", and int() on a %YAML directive.
        raise Unreadable(1, "this is not YAML: an escape or a directive in it is impossible") from error


class _Builder:
    """Nodes from PyYAML's events: these come one at a time, so a bomb is met before it is held in memory."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._nodes = 0
        self._problems: list[Problem] = []

    def document(self) -> tuple[Node, list[Problem]]:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return Scalar(1, ""), []
        root = self._node(next(self._events), "", 1, 0)
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise Unreadable(_line(after), "a second document begins here; one file holds one, without `---`")
        return root, self._problems

    def _node(self, event: yaml.Event, path: str, line: int, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        assert isinstance(event, yaml.NodeEvent)
        _refuse_tag(event)
        if depth > DEEPEST:
            raise Unreadable(_line(event), f"lies deeper than {DEEPEST} levels; no setting lies that deep")
        before = self._nodes
        self._count(1, event)
        node = self._content(event, path, line, depth)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _content(self, event: yaml.NodeEvent, path: str, line: int, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, event.value, plain=event.style is None)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(line, tuple(self._items(path, depth)))
        return Table(line, self._entries(path, depth))

    def _items(self, path: str, depth: int) -> Iterator[Node]:
        for index, event in enumerate(iter(self._events.__next__, None)):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, f"{path}[{index}]", _line(event), depth + 1)

    def _entries(self, path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, line = _key(event), _line(event)
            node = self._node(next(self._events), join(path, key), line, depth + 1)
            if key in entries:
                message = f"stands twice, first in line {entries[key].line}; keep one of them"
                self._problems.append(Problem(join(path, key), line, message))
            else:
                entries[key] = node
        return entries

    def _alias(self, event: yaml.AliasEvent, line: int) -> Node:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            raise Unreadable(_line(event), f"more than {MOST_ALIASES} aliases (*name); write the values out")
        name = event.anchor or ""
        if name not in self._anchors:
            message = f"the alias *{seen(name)} has no anchor before it; write the value out"
            raise Unreadable(_line(event), message)
        node, size = self._anchors[name]
        self._count(size, event)
        return replace(node, line=line)

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise Unreadable(_line(event), f"more than {MOST_NODES} values; no configuration is that large")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_tag(event: yaml.NodeEvent) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise Unreadable(_line(event), "a YAML tag (!...) has no meaning here; leave it out, or quote the text")


def _key(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise Unreadable(_line(event), "a key has to be one word; a list, a mapping or an alias cannot be one")
    _refuse_tag(event)
    if event.value == "<<" and event.style is None:
        raise Unreadable(_line(event), "merge keys (<<) are not understood; write the keys out")
    return str(event.value)
