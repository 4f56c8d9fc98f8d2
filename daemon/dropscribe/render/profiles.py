"""What a subtitle may be: limits by profile and by script, and which of them a person has set otherwise.

Sources: the timed-text guides of Netflix (lines and reading speed by language), the BBC's guide (broadcast), the
Podcasting 2.0 transcript specification (podcast), Subtitle Edit's profile for short videos (shorts).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal

Script = Literal["latin", "han", "kana", "hangul", "thai", "rtl", "indic"]
"""A family of scripts with the same limits; `latin` stands for all that are not named."""

DEFAULT_PROFILE: Final = "default"


@dataclass(frozen=True, slots=True)
class Limits:
    """`line` in cells, times in ms, `cps` in characters a second; in Han, kana and Hangul a narrow one counts half."""

    line: int
    lines: int
    longest_ms: int
    shortest_ms: int
    gap_ms: int
    cps: float


@dataclass(frozen=True, slots=True)
class Subtitles:
    """The key `subtitles` of an inbox: a profile, and what is to be otherwise.

    Durations are in seconds; what is None is the profile's.
    `words`: formats that can show each word as it is spoken do so. `dialog` and `channel_files` are about SRT, which
    has no place for a second voice: two voices in one cue, and further files of one channel each.
    """

    profile: str = DEFAULT_PROFILE
    line: int | None = None
    lines: int | None = None
    longest: float | None = None
    shortest: float | None = None
    gap: float | None = None
    cps: float | None = None
    words: bool = False
    dialog: bool = False
    channel_files: bool = False


@dataclass(frozen=True, slots=True)
class _Profile:
    """Changes to the limits that a script has by default; `speed` multiplies its reading speed."""

    lines: int = 2
    longest_ms: int = 7000
    shortest_ms: int = 833
    gap_ms: int = 83
    line: int | None = None
    speed: float = 1.0


_SCRIPTS: Mapping[Script, tuple[int, float]] = MappingProxyType(
    {
        "latin": (42, 20),
        "han": (32, 11),
        "kana": (26, 7),
        "hangul": (32, 14),
        "thai": (35, 20),
        "rtl": (42, 23),
        "indic": (42, 25),
    }
)
"""Cells of a line, characters a second."""

PROFILES: Mapping[str, _Profile] = MappingProxyType(
    {
        DEFAULT_PROFILE: _Profile(),
        "shorts": _Profile(line=24, longest_ms=5000, shortest_ms=700, gap_ms=0, speed=1.25),
        "podcast": _Profile(line=32),
        "broadcast": _Profile(line=37, shortest_ms=1000, gap_ms=120, speed=0.75),
        "single-line": _Profile(lines=1),
    }
)
_OTHERWISE: Mapping[tuple[str, str], Mapping[str, int]] = MappingProxyType(
    {("podcast", "vtt"): {"line": 65, "lines": 1}}
)
"""Apple's and Podcasting 2.0's WebVTT is one line of 65, their SRT two of 32."""


@lru_cache(maxsize=256)
def limits_for(subtitles: Subtitles, script: Script, format_name: str = "") -> Limits:
    """The limits of one run of text; what a person has set holds for every script. Kept, since every run asks."""
    profile, (line, cps) = PROFILES[subtitles.profile], _SCRIPTS[script]
    limits = Limits(
        line=_line(subtitles.profile, script, line),
        lines=profile.lines,
        longest_ms=profile.longest_ms,
        shortest_ms=profile.shortest_ms,
        gap_ms=profile.gap_ms,
        cps=cps * profile.speed,
    )
    limits = replace(limits, **_OTHERWISE.get((subtitles.profile, format_name), {}))
    return _reconciled(replace(limits, **_set(subtitles)), subtitles)


def _reconciled(limits: Limits, subtitles: Subtitles) -> Limits:
    """Of two limits that do not go together, the one that nobody has set gives way."""
    if 2 * limits.shortest_ms <= limits.longest_ms:
        return limits
    if subtitles.shortest is None:
        return replace(limits, shortest_ms=limits.longest_ms // 2)
    return replace(limits, longest_ms=2 * limits.shortest_ms) if subtitles.longest is None else limits


def _line(profile: str, script: Script, usual: int) -> int:
    """A profile's line is for Latin; a script whose own lines are shorter keeps them."""
    wanted = PROFILES[profile].line
    return min(usual, wanted) if wanted is not None else usual


def _set(subtitles: Subtitles) -> dict[str, Any]:
    found: dict[str, int | float | None] = {
        "line": subtitles.line,
        "lines": subtitles.lines,
        "longest_ms": _ms(subtitles.longest),
        "shortest_ms": _ms(subtitles.shortest),
        "gap_ms": _ms(subtitles.gap),
        "cps": subtitles.cps,
    }
    return {key: value for key, value in found.items() if value is not None}


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def layouts(subtitles: Subtitles, format_name: str) -> str:
    """Formats with the same answer share their cues."""
    return format_name if (subtitles.profile, format_name) in _OTHERWISE else ""
