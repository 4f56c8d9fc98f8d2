"""Times as formats write them."""

import pytest

from dropscribe.render.stamps import centiseconds, centistamp, clock, stamp


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "00:00:00.000"), (59_999, "00:00:59.999"), (86_400_000, "24:00:00.000"), (360_000_001, "100:00:00.001")],
)
def test_hours_go_on_beyond_a_day_and_beyond_a_hundred(ms: int, shown: str) -> None:
    assert stamp(ms) == shown
    assert stamp(ms, ",") == shown.replace(".", ",")


@pytest.mark.parametrize(("cs", "shown"), [(0, "0:00:00.00"), (5999, "0:00:59.99"), (3_600_000 * 10, "100:00:00.00")])
def test_ass_has_hundredths_and_as_many_hours_as_there_are(cs: int, shown: str) -> None:
    assert centistamp(cs) == shown


def test_rounding_never_gives_sixty_seconds() -> None:
    assert centistamp(centiseconds(59_996)) == "0:01:00.00"
    assert clock(3661) == "01:01:01"
