"""What readers of values are made of: a node in, a checked value out, or `Wrong` with all that is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dropscribe.config.wording import found
from dropscribe.config.yaml_lines import Broken, Items, Node, Plain, Scalar, Table, resolve

T = TypeVar("T")
Reader = Callable[[Node], T]


@dataclass(frozen=True)
class Flaw:
    """One fault of a value; `suffix` leads from the value's own path to the part that is meant, as in `[2]`."""

    message: str
    suffix: str = ""
    line: int | None = None


class Wrong(Exception):
    """A value that cannot be used, with all its flaws."""

    def __init__(self, *flaws: Flaw | str) -> None:
        self.flaws = tuple(flaw if isinstance(flaw, Flaw) else Flaw(flaw) for flaw in flaws)
        super().__init__("; ".join(flaw.message for flaw in self.flaws))


class Reported(Exception):
    """The value (or a part of it) is broken, and its fault is reported already."""


def scalar(node: Node, right: str) -> Scalar:
    """A single value that is not null. Raises Wrong, naming `right`; Reported."""
    match node:
        case Broken():
            raise Reported
        case Items():
            raise Wrong(f"is a list; right is {right}")
        case Table():
            raise Wrong(f"is a mapping; right is {right}")
        case Scalar() if node.value is None:
            raise Wrong(f"is empty; right is {right}, or leave the key out")
    return node


def written(node: Scalar) -> str:
    """The value as it stands in the file, for a message: what was filled in is never shown."""
    return found(node.text if node.written is None else node.written)


def meant(node: Scalar) -> Plain:
    """The value by YAML's schema, also where it came from a placeholder: `${RATE}` may be a number."""
    return node.value if node.written is None else resolve(node.text)


def is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.value is None or not node.text)
