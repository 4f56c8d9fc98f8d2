"""How far a run is, how fast, and how long the rest may take: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from dropscribe.ledger.tallies import Tally
from dropscribe.model import Scope

EARLIEST_GUESS = 3.0
"""Seconds before which nothing is said about the rest."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`seconds` since the run began; in `held` of them something was out of order."""

    tally: Tally
    seconds: float
    scopes: tuple[Scope, ...] = ()
    held: float = 0.0

    @property
    def finished(self) -> int:
        return self.tally.delivered + self.tally.failed

    @property
    def done(self) -> float:
        """From 0 to 1: half of a file's way is its upload, by bytes, the other half is everything after it."""
        tally = self.tally
        if not tally.files:
            return 0.0
        uploaded = tally.uploaded_size / tally.size if tally.size else 1.0
        return (uploaded + self.finished / tally.files) / 2

    @property
    def remaining(self) -> float | None:
        """Seconds, if all goes on as it went on average; None while there is too little to tell by, or who knows when
        it goes on.
        """
        worked = self.seconds - self.held
        if self.scopes or worked < EARLIEST_GUESS or not 0.0 < self.done < 1.0:
            return None
        return worked * (1.0 - self.done) / self.done


def headline(progress: Progress) -> str:
    """Files, failures, and the rest or what it waits for: fits beside the bar on 80 columns."""
    tally = progress.tally
    if not tally.files:
        return "waiting until the files in the inboxes have settled"
    parts = [f"{progress.finished} of {_counted(tally.files, 'file')}"]
    if tally.failed:
        parts.append(f"{tally.failed} failed")
    if progress.scopes:
        kinds = dict.fromkeys(scope.name.partition(":")[0] for scope in progress.scopes)
        parts.append(f"held up by {', '.join(kinds)}")
    elif progress.remaining is not None:
        parts.append(f"about {span(progress.remaining)} left")
    return ", ".join(parts)


def details(progress: Progress) -> str:
    """Bytes, tasks, rate: the line below; "" where there is no file yet."""
    tally = progress.tally
    if not tally.files:
        return ""
    parts = [f"{size(tally.uploaded_size)} of {size(tally.size)} uploaded"]
    if tally.tasks:
        parts.append(f"{tally.tasks - tally.tasks_open} of {_counted(tally.tasks, 'task')} done")
    if progress.finished and progress.seconds > 0:
        parts.append(f"{progress.finished * 60 / progress.seconds:.3g} files/min")
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def troubles(scopes: Sequence[Scope]) -> list[str]:
    """What holds the run up, a line each."""
    return [f"waiting for {scope.name}: {scope.message} {scope.remedy}".rstrip() for scope in scopes]


def ending(progress: Progress) -> str:
    """What stays on the screen."""
    tally = progress.tally
    left = tally.files - progress.finished
    said = f"{tally.delivered} delivered, {tally.failed} failed{f', {left} still wait' if left else ''}"
    hint = " (`dropscribe status` says why)" if tally.failed or left else ""
    return f"{said} in {span(progress.seconds)}{hint}"


def span(seconds: float) -> str:
    """`45 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """Bytes for people."""
    for unit, each in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= each:
            return f"{count / each:.1f} {unit}"
    return f"{count} bytes"
