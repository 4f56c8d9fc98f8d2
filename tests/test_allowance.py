"""What still fits into a day and a month."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.allowance import Balance, Limit, after, hours, limits_now, obstacle, windows

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def day(used: float, limit: float = 100.0) -> Balance:
    return Balance(Limit("day", limit, 0.0), used)


def month(used: float, limit: float = 1000.0) -> Balance:
    return Balance(Limit("month", limit, 0.0), used)


@pytest.mark.parametrize(
    ("now", "began", "next_day", "month", "next_month"),
    [
        ("2026-11-25T18:00", "2026-11-25", "2026-11-26", "2026-11-01", "2026-12-01"),
        ("2026-12-31T23:59:59", "2026-12-31", "2027-01-01", "2026-12-01", "2027-01-01"),
        ("2028-02-29T00:00", "2028-02-29", "2028-03-01", "2028-02-01", "2028-03-01"),
        ("2026-03-29T12:00", "2026-03-29", "2026-03-30", "2026-03-01", "2026-04-01"),  # a day of 23 hours
    ],
)
def test_day_and_month_are_those_of_the_calendar(
    now: str, began: str, next_day: str, month: str, next_month: str
) -> None:
    found = windows(at(now), BERLIN)

    assert (found.day, found.next_day) == (at(began), at(next_day))
    assert (found.month, found.next_month) == (at(month), at(next_month))


@given(st.floats(0, 4e9))
def test_every_moment_lies_in_its_own_day_and_month_in_the_machines_zone_as_well(now: float) -> None:
    for zone in (BERLIN, None):
        found = windows(now, zone)

        assert found.month <= found.day <= now < found.next_day <= found.next_month
        assert 22 * 3600 <= found.next_day - found.day <= 26 * 3600


def test_what_is_not_limited_is_no_limit() -> None:
    found = windows(at("2026-11-25T18:00"), BERLIN)

    assert limits_now(None, None, found) == ()
    assert limits_now(2, None, found) == (Limit("day", 7200.0, found.day),)
    assert limits_now(None, 0.5, found) == (Limit("month", 1800.0, found.month),)


@pytest.mark.parametrize(
    ("seconds", "balances", "key"),
    [
        (40.0, (day(60.0), month(0.0)), None),
        (41.0, (day(60.0), month(0.0)), "hours_per_day"),
        (40.0, (day(60.0), month(980.0)), "hours_per_month"),
        (1e9, (), None),
    ],
)
def test_it_fits_where_every_limit_has_room_for_it(
    seconds: float, balances: tuple[Balance, ...], key: str | None
) -> None:
    said = obstacle(seconds, balances)

    assert (said is None) == (key is None)
    assert key is None or (said is not None and key in said and "fit" in said)


def test_what_is_longer_than_a_whole_limit_is_told_apart_from_what_only_has_to_wait() -> None:
    said = obstacle(101.0, (day(99.0), month(0.0)))

    assert said is not None and "more than the whole day's limit" in said and "is raised" in said


@given(st.lists(st.floats(0, 60)), st.floats(0, 200))
def test_what_is_let_through_one_after_the_other_never_goes_beyond_the_limit(wishes: list[float], used: float) -> None:
    room = (day(min(used, 100.0)), month(used))
    for seconds in wishes:
        if obstacle(seconds, room) is None:
            room = after(room, seconds)

    assert room[0].used <= 100.0 + 1e-6
    assert room[1].used <= 1000.0 + 1e-6


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59, "59 s"), (90, "1.5 min"), (5400, "1.5 h")])
def test_hours_are_told_as_people_say_them(seconds: float, text: str) -> None:
    assert hours(seconds) == text
