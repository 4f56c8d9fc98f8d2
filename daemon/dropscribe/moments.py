"""Moments as they are told."""

from datetime import UTC, datetime


def utc(seconds: float | None) -> str | None:
    """A moment for programs."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(seconds: float) -> str:
    """A moment for people, in their time zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
