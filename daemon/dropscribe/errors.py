"""What can go wrong, named by what the house does next.

Anything that is not one of these is a bug: it is logged with its traceback, the one item waits, the daemon lives.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class DropscribeError(Exception):
    """The root; never raised itself."""


@dataclass(eq=False)
class TryLater(DropscribeError):
    """A fault of one file that may pass: it waits in the ledger, attempts + 1; after the last it fails.

    `bound` is the greatest number of tries this code deserves; None leaves it to `retry.attempts`.
    """

    code: str
    message: str
    bound: int | None = None
    retry_after: float | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(eq=False)
class Refused(DropscribeError):
    """The recognition is refused; its files go to failed/ with the reason, everything else goes on."""

    code: str
    message: str
    remedy: str = ""
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(eq=False)
class RequestRefused(DropscribeError):
    """A whole submit was definitely refused for what it contains; no task exists and nothing was billed.

    Which of its files is to blame is not said: the submitter sends one of several alone to find out.
    """

    code: str
    message: str
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(eq=False)
class OutOfOrder(DropscribeError):
    """Account, network, service, disk or folder: charges no file, opens the scope, probes, resumes.

    `scope` is `api`, `storage`, `model:<name>`, `folder:<path>` ...; `retry_after` is in seconds where the other side
    named one.
    `quiet` marks a mere "slow down" (429): the scope waits, but nobody is alarmed.
    """

    scope: str
    code: str
    message: str
    remedy: str = ""
    retry_after: float | None = None
    quiet: bool = False
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(eq=False)
class Ambiguous(DropscribeError):
    """Only from submit: the request may have been accepted; settle it through the task list."""

    message: str

    def __str__(self) -> str:
        return self.message


class SourceChanged(DropscribeError):
    """A source is no longer the file that was taken (replaced, rewritten, truncated or gone)."""


class StateHeld(DropscribeError):
    """Another daemon holds this state folder. Exit 75."""


@dataclass(frozen=True)
class Problem:
    """One fault of the configuration: where it stands, what is wrong and what would be right."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        where = f"{self.path} (line {self.line})" if self.line else self.path
        return f"{where}: {self.message}"


class Misconfigured(DropscribeError):
    """All faults of a configuration at once. Exit 78."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
