"""What values in other people's JSON can be taken for."""

import math


def number(value: object) -> float | None:
    """A number, also where it was sent as a string; true, NaN and infinity are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
