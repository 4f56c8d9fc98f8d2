"""The instants at which a death must change nothing but the time.

Every act on the world (a file, an object, a paid call) declares a `Step` here and says when it is about to act, when
the effect stands, and when the ledger knows of it. The steps list themselves: the kill tests take their rows from
`all_boundaries()`, so a new step without a passing row fails the suite. In production the calls do nothing.
"""

from collections.abc import Callable
from typing import Literal

Phase = Literal["before", "effect", "recorded"]
PHASES: tuple[Phase, ...] = ("before", "effect", "recorded")

_steps: dict[str, "Step"] = {}
_observer: Callable[[str, Phase], None] | None = None


class Step:
    """One act on the world, named `room.act`, and the instants around it."""

    __slots__ = ("name", "phases")

    def __init__(self, name: str, *phases: Phase) -> None:
        """`phases` are the instants this step passes: all three, unless the ledger is the act or never hears of it."""
        if name in _steps:
            raise ValueError(f"two steps are called {name}")
        self.name = name
        self.phases = phases or PHASES
        _steps[name] = self

    def before(self) -> None:
        """The act is next; nothing has happened."""
        _pass(self.name, "before")

    def effect(self) -> None:
        """The act has happened in the world; the ledger does not know yet."""
        _pass(self.name, "effect")

    def recorded(self) -> None:
        """The ledger knows, durably."""
        _pass(self.name, "recorded")


def _pass(name: str, phase: Phase) -> None:
    if _observer is not None:
        _observer(name, phase)


def all_boundaries() -> tuple[tuple[str, Phase], ...]:
    """(step, phase) of all declared boundaries, in the order in which their modules were imported."""
    return tuple((step.name, phase) for step in _steps.values() for phase in step.phases)


def observe(observer: Callable[[str, Phase], None] | None) -> None:
    """Call `observer` at every boundary (tests only); None ends it. It may be called from any thread."""
    global _observer  # noqa: PLW0603 - the one switch, off in production
    _observer = observer
