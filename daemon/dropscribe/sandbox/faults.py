"""What is to go wrong, as data: which call, which subject, how often or how long, and what happens."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from dropscribe.sandbox import dialects
from dropscribe.sandbox.overheard import note_strikes

CALLS = frozenset(
    [
        "put",
        "get",
        "head",
        "delete",
        "delete_many",
        "initiate",
        "part",
        "complete",
        "abort",
        "list_parts",
        "list_uploads",
        "list_objects",
        "copy",
        "bucket",
        "submit",
        "query",
        "list",
        "cancel",
        "result",
        "download",
        "subtask",
        "*",
    ]
)
ON_THE_WIRE = frozenset(["error", "delay", "drop", "lost", "hang", "truncate", "not_json"])
OF_MEANING: Mapping[str, frozenset[str]] = {
    "submit": frozenset({"one_url", "first_only", "twice", "late"}),
    "query": frozenset({"unknown", "missing", "foreign", "duplicate", "reorder", "status", "no_results", "bare_urls"})
    | dialects.OF_QUERY,
    "list": frozenset({"hide", "lag"}) | dialects.OF_LIST,
    "result": frozenset({"expired", "body"}),
    "subtask": frozenset({"fail"}),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. `call` is one of CALLS, `*` means every request that comes in. What it `does`:

    To every call, on the wire:
    `error`     answers `status`, `code`, `message`, and `Retry-After: retry_after` where that is given
    `delay`     waits `seconds` of the sandbox's clock, then goes on
    `drop`      cuts the connection before anything is done
    `lost`      does it all, then cuts the connection instead of answering
    `hang`      never answers; does nothing
    `truncate`  sends half a body under its full length
    `not_json`  sends an HTML page with the status of the true answer

    To `submit`: `one_url` (400 InvalidParameter for several URLs), `first_only` (of several URLs only the first is
    processed and appears in the results), `twice` (two tasks, as if a proxy had repeated the request), `late` (the
    connection is cut, and the task begins after `seconds`). To `query`: `unknown` (the task is not known), `status` (it
    is `code`), `unwrapped` (no `output` around the answer), and in the results of an ended task `no_results` (there are
    none), `missing` (those that match `key` or `url`, else the last, are not there), `foreign` (one more, of a URL that
    nobody sent), `duplicate` (the first twice), `reorder` (backwards), `bare_urls` (each without its query). In other
    forms that documents or SDKs know: `null_usage`, `seconds` (`usage.seconds`), `code_in_message` (failed files name
    their code there alone), `one_result` (`result` of a task of one file), `zeroed` (an unknown task has counts). To
    `list`: `hide` (tasks that match `task` and `model`), `lag` (tasks younger than `seconds`), `as_tasks` (rows are
    called `tasks`). To `result`: `expired`, `body` (`message` in place of the document). To `download`, the sandbox's
    own GET of a file: what happens on the wire, where `error` fails the subtask with `code`. To `subtask`: `fail` with
    `code` after the download.

    `model`, `key`, `url` and `task` are parts of the names that must match, where they are given. A fault strikes after
    `skip` matches, `times` times (None: always), for `for_seconds` of the sandbox's clock (None: without end).
    """

    call: str
    does: str
    model: str | None = None
    key: str | None = None
    url: str | None = None
    task: str | None = None
    skip: int = 0
    times: int | None = None
    for_seconds: float | None = None
    status: int = 500
    code: str = "InternalError"
    message: str = "The sandbox was told to fail here."
    retry_after: float | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.call not in CALLS:
            raise ValueError(f"no call is named {self.call}; there are {', '.join(sorted(CALLS))}")
        allowed = ON_THE_WIRE | OF_MEANING.get(self.call, frozenset())
        if self.does not in allowed:
            raise ValueError(f"{self.call} cannot {self.does}; it can {', '.join(sorted(allowed))}")

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Fault":
        """Raises ValueError with a sentence for a name that does not exist or a call that cannot do this."""
        unknown = sorted(set(given) - {f.name for f in fields(cls)})
        if unknown or not {"call", "does"} <= set(given):
            raise ValueError(f"a fault needs call and does; unknown: {', '.join(unknown) or 'nothing'}")
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about: `key` is an object's key, or the paths of all files of a task; `urls` are those files."""

    model: str = ""
    key: str = ""
    urls: tuple[str, ...] = ()
    task: str = ""


@dataclass(slots=True)
class _Armed:
    fault: Fault
    until: float | None
    seen: int = 0
    struck: int = 0


@dataclass(slots=True)
class FaultBook:
    """The rules in force, oldest first."""

    _armed: list[_Armed] = field(default_factory=list)

    def add(self, fault: Fault, now: float) -> None:
        self._armed.append(_Armed(fault, None if fault.for_seconds is None else now + fault.for_seconds))

    def clear(self) -> None:
        self._armed.clear()

    def take_over(self, other: "FaultBook") -> None:
        """Have the rules of another book, used as often as they are there."""
        self._armed = [replace(armed) for armed in other._armed]

    def __bool__(self) -> bool:
        return bool(self._armed)

    def strike(
        self, call: str, subject: Subject | None, now: float, kinds: frozenset[str] = ON_THE_WIRE
    ) -> list[Fault]:
        """The rules of these kinds that hit this call now; each is counted as used. No subject: whatever they match."""
        if not self._armed:
            return []
        struck = [a.fault for a in self._armed if a.fault.does in kinds and _hits(a, call, subject, now)]
        note_strikes(fault.does for fault in struck)
        return struck

    def as_json(self) -> list[dict[str, Any]]:
        return [{**asdict(a.fault), "struck": a.struck} for a in self._armed]


def _hits(armed: _Armed, call: str, subject: Subject | None, now: float) -> bool:
    fault = armed.fault
    if not _is_of(fault, call) or not (subject is None or _matches(fault, subject)):
        return False
    if armed.until is not None and now > armed.until:
        return False
    armed.seen += 1
    if armed.seen <= fault.skip or (fault.times is not None and armed.struck >= fault.times):
        return False
    armed.struck += 1
    return True


def _is_of(fault: Fault, call: str) -> bool:
    """`*` means all that comes in; `download` and `subtask` are the sandbox's own acts."""
    return fault.call == call or (fault.call == "*" and call not in ("download", "subtask"))


def _matches(fault: Fault, subject: Subject) -> bool:
    return (
        (fault.model is None or fault.model in subject.model)
        and (fault.key is None or fault.key in subject.key)
        and (fault.task is None or fault.task in subject.task)
        and (fault.url is None or any(fault.url in url for url in subject.urls))
    )
