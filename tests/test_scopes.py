"""A fault of everything opens a scope: one line when it opens, one when it closes, and a growing wait between tries."""

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from clocks import FakeClock, ManualClock
from dropscribe.errors import OutOfOrder
from dropscribe.model import Scope
from dropscribe.scopes import STEADY_AFTER, TRIAL, Scopes, next_wait

FIRST, LONGEST = 5.0, 300.0


def fault(
    name: str = "api", code: str = "InvalidApiKey", quiet: bool = False, retry_after: float | None = None
) -> OutOfOrder:
    return OutOfOrder(name, code, "it is refused", "look at the key", retry_after, quiet, "request-1")


class JumpingClock(FakeClock):
    """A wall clock that somebody sets."""

    jump = 0.0

    def now(self) -> float:
        return super().now() + self.jump


@dataclass
class House:
    """Scopes with a clock of their own, and what the ledger would hold."""

    clock: JumpingClock = field(default_factory=JumpingClock)
    remembered: dict[str, Scope] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scopes = Scopes(self.clock, FIRST, LONGEST, self._remember, self._forget)

    async def _remember(self, scope: Scope) -> None:
        self.remembered[scope.name] = scope

    async def _forget(self, name: str) -> None:
        self.remembered.pop(name, None)

    async def fail(self, times: int = 1, quiet: bool = False) -> None:
        """As many tries as this, each when it is due."""
        for _ in range(times):
            self.clock.advance(self.scopes.wait("api"))
            assert self.scopes.may_pass("api")
            await self.scopes.report(fault(quiet=quiet))


@pytest.fixture
def house() -> House:
    return House()


def said(logs: list[EventDict]) -> list[str]:
    return [line["event"] for line in logs]


@pytest.mark.parametrize(
    ("failures", "retry_after", "expected"),
    [
        (0, None, 5.0),
        (1, None, 10.0),
        (2, None, 20.0),
        (6, None, 300.0),
        (10_000, None, 300.0),
        (0, 60.0, 60.0),
        (5, 1.0, 1.0),
        (0, 900.0, 900.0),
        (0, -3.0, 0.0),
    ],
)
def test_the_wait_is_what_the_other_side_named_else_it_doubles_up_to_a_bound(
    failures: int, retry_after: float | None, expected: float
) -> None:
    assert next_wait(failures, retry_after, FIRST, LONGEST) == expected


async def test_what_is_in_order_lets_everybody_pass(house: House) -> None:
    assert all(house.scopes.may_pass("api", "storage") for _ in range(3))
    assert house.scopes.wait("api") == 0.0 and house.scopes.open_scopes() == ()


async def test_an_open_scope_stops_only_what_needs_it(house: House) -> None:
    await house.scopes.report(fault("storage"))

    assert not house.scopes.may_pass("storage")
    assert not house.scopes.may_pass("api", "storage")
    assert house.scopes.may_pass("api")


async def test_a_scope_says_what_is_wrong_since_when_and_what_to_do(house: House) -> None:
    began = house.clock.now()
    await house.fail(2)

    (scope,) = house.scopes.open_scopes()

    assert (scope.name, scope.code, scope.message, scope.remedy) == (
        "api",
        "InvalidApiKey",
        "it is refused",
        "look at the key",
    )
    assert (scope.since, scope.retry_at) == (began, house.clock.now() + 2 * FIRST)
    assert house.scopes.opened_by("api") == scope == house.remembered["api"]
    assert house.scopes.opened_by("storage") is None


async def test_however_often_it_fails_there_is_one_line_when_it_opens_and_one_when_it_closes(house: House) -> None:
    with capture_logs() as logs:
        await house.fail(5)
        await house.scopes.works("api")
        await house.scopes.works("api")

    assert said(logs) == ["scope.opened", "scope.closed"]
    opened, closed = logs
    assert (opened["scope"], opened["code"], opened["remedy"]) == ("api", "InvalidApiKey", "look at the key")
    assert (opened["request_id"], opened["retry_in"], opened["log_level"]) == ("request-1", FIRST, "warning")
    assert (closed["scope"], closed["seconds"]) == ("api", 5 + 10 + 20 + 40)
    assert house.remembered == {}


async def test_another_reason_for_the_same_scope_is_news(house: House) -> None:
    with capture_logs() as logs:
        await house.scopes.report(fault(code="InvalidApiKey"))
        house.clock.advance(FIRST)
        await house.scopes.report(fault(code="Arrearage"))

    assert [line["code"] for line in logs] == ["InvalidApiKey", "Arrearage"]


async def test_each_failed_try_doubles_the_wait_and_a_success_ends_it(house: House) -> None:
    waits = []
    for _ in range(8):
        await house.fail()
        waits.append(house.scopes.wait("api"))
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]

    await house.scopes.works("api")
    await house.fail()

    assert house.scopes.wait("api") == FIRST


async def test_many_that_fail_in_one_moment_are_one_failed_try(house: House) -> None:
    with capture_logs() as logs:
        for code in ("ConnectionReset", "Timeout", "ConnectionReset", "Timeout"):
            await house.scopes.report(fault(code=code))

    assert house.scopes.wait("api") == FIRST
    assert said(logs) == ["scope.opened"]


async def test_the_longest_wait_that_was_named_counts_for_all_that_failed_together(house: House) -> None:
    await house.scopes.report(fault(retry_after=60.0))
    await house.scopes.report(fault(retry_after=20.0))
    await house.scopes.report(fault())

    assert house.scopes.wait("api") == 60.0


async def test_when_the_wait_is_over_one_may_try_and_the_others_wait_for_its_outcome(house: House) -> None:
    await house.fail()
    house.clock.advance(FIRST)

    assert [house.scopes.may_pass("api") for _ in range(3)] == [True, False, False]
    assert house.scopes.wait("api") == TRIAL

    await house.scopes.works("api")
    assert house.scopes.may_pass("api")


async def test_a_try_that_nobody_hears_of_blocks_the_scope_no_longer_than_a_trial(house: House) -> None:
    await house.fail()
    house.clock.advance(FIRST)
    assert house.scopes.may_pass("api")

    house.clock.advance(TRIAL)

    assert house.scopes.may_pass("api")


async def test_a_try_that_was_given_back_is_at_once_the_next_ones(house: House) -> None:
    await house.fail()
    house.clock.advance(FIRST)
    assert house.scopes.may_pass("api")

    house.scopes.release("api", "storage")

    assert house.scopes.may_pass("api") and not house.scopes.may_pass("api")


async def test_who_waits_for_the_outcome_of_a_try_is_told_when_it_is_given_back() -> None:
    house, clock = House(), ManualClock()
    scopes = Scopes(clock, FIRST, LONGEST, house._remember, house._forget)
    await scopes.report(fault())
    await clock.advance_to_wake(FIRST)
    assert scopes.may_pass("api")
    waiting = asyncio.create_task(scopes.passage("api"))
    await clock.advance_to_wake(1.0)
    assert not waiting.done()

    scopes.release("api")

    await asyncio.wait_for(waiting, timeout=5)  # no second of the clock passes


async def test_giving_back_without_a_try_opens_no_door(house: House) -> None:
    await house.fail()

    house.scopes.release("api")

    assert not house.scopes.may_pass("api")


async def test_of_two_scopes_none_takes_its_try_while_the_other_is_shut(house: House) -> None:
    await house.scopes.report(fault("api"))
    await house.scopes.report(fault("storage", retry_after=60.0))
    house.clock.advance(FIRST)

    assert not house.scopes.may_pass("api", "storage")
    assert house.scopes.wait("api", "storage") == 60.0 - FIRST
    assert house.scopes.may_pass("api")


async def test_passage_waits_until_the_scope_may_be_tried(house: House) -> None:
    await house.scopes.report(fault(retry_after=90.0))
    began = house.clock.monotonic()

    await asyncio.wait_for(house.scopes.passage("api"), timeout=5)

    assert house.clock.monotonic() - began == pytest.approx(90.0, abs=0.1)


async def test_a_request_to_slow_down_makes_everybody_wait_but_alarms_nobody(house: House) -> None:
    with capture_logs() as logs:
        await house.scopes.report(fault(code="Throttling", quiet=True, retry_after=3.0))
        assert not house.scopes.may_pass("api")
        house.clock.advance(3.0)
        assert house.scopes.may_pass("api")
        await house.scopes.works("api")

    assert logs == [] and house.remembered == {}


async def test_a_slow_down_that_does_not_end_is_told_once(house: House) -> None:
    with capture_logs() as logs:
        await house.fail(STEADY_AFTER, quiet=True)
        assert logs == [] and house.remembered == {}
        await house.fail(3, quiet=True)
        assert list(house.remembered) == ["api"]
        await house.scopes.works("api")

    assert said(logs) == ["scope.opened", "scope.closed"] and house.remembered == {}


async def test_a_fault_that_follows_a_slow_down_is_told_at_once(house: House) -> None:
    with capture_logs() as logs:
        await house.scopes.report(fault(code="Throttling", quiet=True))
        house.clock.advance(FIRST)
        await house.scopes.report(fault(code="Throttling"))

    assert said(logs) == ["scope.opened"]


async def test_the_wait_is_not_moved_by_a_wall_clock_that_is_set(house: House) -> None:
    house.clock.jump = -3600.0
    await house.fail()
    house.clock.jump = 7200.0

    assert house.scopes.wait("api") == FIRST


async def test_a_probed_scope_lets_nobody_pass_until_a_probe_has_worked(house: House) -> None:
    scopes = Scopes(house.clock, FIRST, LONGEST, house._remember, house._forget, probed={"api"})
    await scopes.report(fault("api"))
    house.clock.advance(FIRST)

    assert not scopes.may_pass("api")
    assert [scopes.may_probe("api") for _ in range(2)] == [True, False]
    await scopes.works("api")

    assert scopes.may_pass("api") and scopes.probe_in("api") is None


async def test_who_waits_for_a_probed_scope_goes_on_when_it_closes_and_not_when_it_is_due(house: House) -> None:
    scopes = Scopes(house.clock, FIRST, LONGEST, house._remember, house._forget, probed={"api"})
    await scopes.report(fault("api"))
    waiting = asyncio.create_task(scopes.passage("api"))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not waiting.done()

    await scopes.works("api")

    await asyncio.wait_for(waiting, timeout=5)


async def test_listeners_hear_of_what_opens_and_closes_also_of_what_is_not_told(house: House) -> None:
    heard: list[int] = []
    house.scopes.tell(lambda: heard.append(len(house.scopes.open_scopes())))

    await house.scopes.report(fault(quiet=True))
    await house.scopes.works("api")

    assert heard == [1, 0]


async def test_other_waits_are_tried_at_once_and_count_from_the_next_failure_on(house: House) -> None:
    await house.fail(4)
    house.scopes.retune(1.0, 3.0)

    assert house.scopes.may_pass("api")
    await house.scopes.report(fault())

    assert house.scopes.wait("api") == 2.0
