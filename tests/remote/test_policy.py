"""How fast, and how often."""

import asyncio

import pytest

from clocks import FakeClock, ManualClock
from dropscribe.remote.policy import Flicker, Pacer, poll_wait, retrying_blocking, retrying_get, slow_wait


async def turns(pacer: Pacer, clock: FakeClock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        await pacer.turn()
        times.append(clock.monotonic())
    return times


async def test_no_second_sees_more_calls_than_the_rate():
    clock = FakeClock()

    times = await turns(Pacer(8, clock), clock, 40)

    for start in times:
        assert sum(start <= time < start + 1 - 1e-9 for time in times) <= 8


async def test_an_idle_pacer_saves_up_no_burst():
    clock = FakeClock()
    pacer = Pacer(10, clock)
    await pacer.turn()
    clock.advance(60)

    times = await turns(pacer, clock, 3)

    assert [round(later - times[0], 6) for later in times] == [0, 0.1, 0.2]


async def test_a_slow_rate_is_kept_too():
    clock = FakeClock()

    times = await turns(Pacer(0.5, clock), clock, 3)

    assert times == [0, 2, 4]


async def test_who_came_first_goes_first():
    clock = ManualClock()
    pacer = Pacer(1, clock)
    order: list[int] = []

    async def caller(number: int) -> None:
        await pacer.turn()
        order.append(number)

    tasks = [asyncio.create_task(caller(number)) for number in range(5)]
    await clock.advance_to_wake(10)
    await asyncio.gather(*tasks)

    assert order == [0, 1, 2, 3, 4]


async def test_a_waiter_that_is_cancelled_costs_no_turn():
    clock = ManualClock()
    pacer = Pacer(1, clock)
    await pacer.turn()
    sleeping, queued, last = (asyncio.create_task(pacer.turn()) for _ in range(3))
    await clock.advance_to_wake(0.5)

    sleeping.cancel()
    queued.cancel()
    await clock.advance_to_wake(0.5)

    assert last.done()


async def test_after_a_complaint_nobody_gets_a_turn_for_as_long_as_it_says():
    clock = ManualClock()
    pacer = Pacer(10, clock)
    await pacer.turn()
    waiting = asyncio.create_task(pacer.turn())
    await clock.advance_to_wake(0.05)

    pacer.quiet(30)
    await clock.advance_to_wake(29)
    early = waiting.done()
    await clock.advance_to_wake(2)

    assert (early, waiting.done()) == (False, True)


def test_complaints_that_name_no_time_wait_longer_each_time_until_a_call_works():
    clock = FakeClock()
    pacer = Pacer(10, clock, first_quiet=1, longest_quiet=8)
    waits = []
    for _ in range(5):
        waits.append(pacer.quiet())
        clock.advance(waits[-1])
    pacer.worked()

    assert waits == [1, 2, 4, 8, 8]
    assert pacer.quiet() == 1


def test_many_complaints_about_calls_already_under_way_count_as_one():
    clock = FakeClock()
    pacer = Pacer(10, clock, first_quiet=1)

    for _ in range(10):
        pacer.quiet()
    clock.advance(1)

    assert pacer.quiet() == 2


@pytest.mark.parametrize(("said", "waits"), [(-5.0, 0.0), (1e12, 3600.0)])
def test_a_senseless_time_is_brought_to_reason(said, waits):
    assert Pacer(10, FakeClock()).quiet(said) == waits


class Failing:
    """Fails `times` times, then gives 7."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error, self.calls = times, error, 0

    def blocking(self) -> int:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return 7

    async def __call__(self) -> int:
        return self.blocking()


async def test_a_flicker_is_tried_again_with_growing_waits():
    clock = FakeClock()

    assert await retrying_get(Failing(3, Flicker(OSError("x"))), clock) == 7
    assert len(clock.slept) == 3
    assert 0.5 <= clock.slept[0] <= 1 < clock.slept[2] <= 8


async def test_a_flicker_that_stays_is_raised_as_the_fault_it_is():
    call = Failing(99, Flicker(LookupError("no")))

    with pytest.raises(LookupError):
        await retrying_get(call, FakeClock())

    assert call.calls == 4


async def test_anything_else_is_not_tried_again():
    call = Failing(1, LookupError("no"))

    with pytest.raises(LookupError):
        await retrying_get(call, FakeClock())

    assert call.calls == 1


def test_blocking_calls_are_tried_three_times():
    slept: list[float] = []
    call = Failing(99, Flicker(LookupError("no")))

    with pytest.raises(LookupError):
        retrying_blocking(call.blocking, slept.append)

    assert (call.calls, len(slept)) == (3, 2)
    assert retrying_blocking(Failing(2, Flicker(OSError())).blocking, slept.append) == 7


def test_slow_waits_double_up_to_the_longest_and_jitter_only_shortens_them():
    assert [slow_wait(n, 5, 60, 0) for n in (1, 2, 3, 4, 5, 6, 10_000)] == [5, 10, 20, 40, 60, 60, 60]
    assert slow_wait(6, 5, 60, 1) == 45


def test_polling_slows_down_by_half_each_time():
    assert poll_wait(None, 2, 30) == 2
    assert poll_wait(2, 2, 30) == 3
    assert poll_wait(28, 2, 30) == 30
    assert poll_wait(0, 2, 30) == 3
