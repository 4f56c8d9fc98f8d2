"""Whose trouble is it, when one of many fails at something that works for others: pure.

The first failure tells nothing: it may be the way, or it may be this one. Where others came through since it failed
last, it is its own, and must not shut the way for all.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class _Failing:
    times: int
    succeeded: int
    its_own: bool


class Alone:
    """The failures of each, and how many others had come through by then. Of one way; in memory."""

    def __init__(self) -> None:
        self._failing: dict[Hashable, _Failing] = {}
        self._succeeded = 0

    def worked(self, who: Hashable) -> None:
        """This one came through."""
        self._succeeded += 1
        self._failing.pop(who, None)

    def forget(self, who: Hashable) -> None:
        """Its failures say nothing any more: it got further, or is gone."""
        self._failing.pop(who, None)

    def failed(self, who: Hashable) -> bool:
        """Note a failure; whether others came through since its last one, so that this one is its own."""
        before = self._failing.get(who)
        its_own = before is not None and before.succeeded < self._succeeded
        self._failing[who] = _Failing(self.times(who) + 1, self._succeeded, its_own or self.is_known(who))
        return its_own

    def is_known(self, who: Hashable) -> bool:
        """Whether an earlier failure was found to be its own: another tells nothing new of the way."""
        return who in self._failing and self._failing[who].its_own

    def times(self, who: Hashable) -> int:
        """How often it failed in a row."""
        return self._failing[who].times if who in self._failing else 0
