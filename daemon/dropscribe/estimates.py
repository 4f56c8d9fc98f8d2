"""How many seconds a recognition may be billed for: pure. Detected speech is billed, each channel on its own."""

import json

LONGEST = 12 * 3600.0
"""Seconds of one recording that the service takes (model-studio: limits)."""

BYTES_A_SECOND = {
    "aac": 8_000,
    "amr": 1_000,
    "avi": 60_000,
    "flac": 25_000,
    "flv": 60_000,
    "m4a": 8_000,
    "mkv": 60_000,
    "mov": 60_000,
    "mp3": 8_000,
    "mp4": 60_000,
    "mpeg": 60_000,
    "ogg": 6_000,
    "opus": 3_000,
    "wav": 16_000,
    "webm": 20_000,
    "wma": 6_000,
    "wmv": 60_000,
}
"""Sparing recordings of speech in each format: a guess should rather be too long than too short."""
UNKNOWN = 8_000


def channels_of(settings: str) -> int:
    """How many channels the canonical settings ask for; each one is billed."""
    asked = json.loads(settings).get("channel_id")
    return max(1, len(asked)) if isinstance(asked, list) else 1


def guess(size: int, suffix: str) -> float:
    """Seconds that a file of this size and suffix may last, where nothing better is known."""
    return min(LONGEST, size / BYTES_A_SECOND.get(suffix, UNKNOWN))


def billable(duration: float, settings: str) -> float:
    """Seconds that a recording of this duration is billed for at most."""
    return min(LONGEST, duration) * channels_of(settings)
