"""How a sandbox behaves: one frozen value, changed only by replacing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

MODELS = (
    "fun-asr",
    "fun-asr-2025-11-07",
    "fun-asr-2025-08-25",
    "fun-asr-mtl",
    "fun-asr-mtl-2025-08-25",
)
RESERVED_NAMES = frozenset({"api", "results", "_sandbox"})
"""First parts of paths that are not buckets: everything shares one port."""


@dataclass(frozen=True)
class SandboxSettings:
    """Times are seconds of the sandbox's clock, rates are per real second."""

    port: int = 0
    """0 picks a free one."""
    access_key_id: str = "sandbox"
    access_key_secret: str = "sandbox-secret"  # noqa: S105 - the sandbox's own, printed for everybody
    session_token: str | None = None
    """Where set, every signed request has to carry it, as with STS credentials."""
    region: str = "cn-beijing"
    bucket: str = "sandbox"
    api_key: str = "sk-sandbox"
    other_accounts: Mapping[str, str] = field(default_factory=dict)
    """Further API keys, each with the name of its account: accounts do not see each other's tasks."""
    models: tuple[str, ...] = MODELS

    pending_seconds: float = 0.3
    task_seconds: float = 1.0
    """From submit to the end, at least."""
    file_seconds: float = 0.005
    """Added to that for each file of a task."""
    retention_seconds: float = 24 * 3600.0
    """How long a finished task is known and its result URLs answer."""
    largest_task: int = 100
    largest_page: int = 100
    all_failed: Literal["FAILED", "SUCCEEDED"] = "FAILED"
    """The status of a task in which no file succeeded: the documents know both."""

    enforce_rates: bool = True
    submit_rate: int = 10
    mtl_submits_a_minute: int | None = 100
    """For fun-asr-mtl; None lets `submit_rate` count there as well."""
    query_rate: int = 20
    list_rate: int = 20
    cancel_rate: int = 20

    speed: float = 1.0
    """Sandbox seconds in one real second."""
    signed_by_real_time: bool = False
    """Judge the age of signatures by the machine's clock: for callers that sign with it while this clock is moved."""
    memory_limit: int = 32 * 1024 * 1024
    """Bytes of small objects kept in memory; all else goes to a temporary folder."""
    smallest_part: int = 100 * 1024
    """Bytes; a smaller part that is not the last is refused on completion."""

    def __post_init__(self) -> None:
        if self.bucket in RESERVED_NAMES:
            raise ValueError(f"a bucket of the sandbox cannot be called {self.bucket}: that path has another use")
        if self.speed <= 0:
            raise ValueError("the sandbox's clock can be slow, but it cannot stand still: speed must be above 0")

    def account_of(self, api_key: str) -> str | None:
        """The account that a key belongs to, or None for a key that nobody gave out."""
        return "sandbox" if api_key == self.api_key else self.other_accounts.get(api_key)

    def changed(self, changes: Mapping[str, Any]) -> "SandboxSettings":
        """A copy with some values replaced. Raises ValueError for an unknown name or a value of another type."""
        known = {f.name for f in fields(self)} - {"port", "bucket"}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"not a setting that can be changed: {', '.join(unknown)}")
        for name, value in changes.items():
            _check_type(name, getattr(self, name), value)
        held: dict[str, Any] = {name: _as_held(value) for name, value in changes.items()}
        return replace(self, **held)


def _check_type(name: str, old: object, new: object) -> None:
    optional = name in ("mtl_submits_a_minute", "session_token")
    kinds: dict[type, tuple[type, ...]] = {float: (int, float), tuple: (list, tuple), type(None): (str, int)}
    accepted = kinds.get(type(old), (type(old),))
    if (new is None and optional) or (isinstance(new, accepted) and isinstance(new, bool) == isinstance(old, bool)):
        return
    raise ValueError(f"{name} cannot be {new!r}")


def _as_held(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
