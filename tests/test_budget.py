"""The spend guard knows which day it is, measures what is next, and says what waits."""

import gzip
import json
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clocks import FakeClock
from dropscribe.allowance import windows
from dropscribe.budget import ATTENTIVE_FOR, LOOK_EVERY, SAID_AFTER, SCOPE, TOO_LONG, Budget
from dropscribe.config.settings import LimitsSettings
from dropscribe.durations import Durations
from dropscribe.house import House
from dropscribe.ledger import batches, intake, judgements, spending, uploads
from houses import furnished
from ledger.desk import WHO, file

RECORDING = Path(__file__).parents[1] / "daemon/dropscribe/sandbox/recordings/jfk_en.flac"
HALF_PAST_ELEVEN = windows(1_795_000_000.0).next_day - 1800


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(HALF_PAST_ELEVEN)


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[House]:
    with furnished(tmp_path, clock, limits=LimitsSettings(hours_per_day=15 / 3600)) as built:
        yield built


@pytest.fixture
async def budget(house: House) -> AsyncIterator[Budget]:
    durations = Durations()
    freed: list[None] = []
    with ThreadPoolExecutor(1) as threads:
        built = Budget(house, threads, durations, lambda: freed.append(None))
        yield built
        durations.close()


async def take(house: House, *names: str, seconds: float = 10.0) -> None:
    """Recordings of which nothing lies there, so that their size has to do."""
    files = [file(name.encode(), name, size=int(seconds * 8000)) for name in names]
    await house.ledger.do(intake.take, "talks", files, house.clock.now())


async def claim(house: House, budget: Budget) -> int:
    return await claim_with(house, await budget.measured(()))


async def claim_with(house: House, measured: Mapping[int, float | None]) -> int:
    now, ledger = house.clock.now(), house.ledger
    jobs = await ledger.do(
        uploads.claim, 100, now, 1, lambda suffix: f"k{now}.{suffix}", 10**9, uploads.AS_USUAL, measured
    )
    return len(jobs)


async def test_what_is_next_is_measured(house: House, budget: Budget) -> None:
    folder = house.inboxes["talks"].inbox
    folder.mkdir()
    shutil.copy(RECORDING, folder / "talk.flac")
    await house.ledger.do(intake.take, "talks", [file(b"talk.flac"), file(b"gone.mp3", "gone")], house.clock.now())

    measured = await budget.measured(())

    assert sorted(measured.values(), key=str) == [pytest.approx(11.0), None]


async def test_where_nothing_is_limited_nothing_is_measured(house: House, budget: Budget) -> None:
    house.settings = replace(house.settings, limits=LimitsSettings())
    await take(house, "a.mp3")

    assert await budget.measured(()) == {}
    assert await claim(house, budget) == 1


async def test_what_waits_is_said_when_it_lasts_and_goes_on_with_the_next_day(
    house: House, budget: Budget, clock: FakeClock
) -> None:
    await take(house, "a.mp3")
    assert await claim(house, budget) == 1
    row = await submit(house)
    await house.ledger.do(judgements.close_if_judged, row, 10.0, clock.now())
    await take(house, "b.mp3")
    assert await claim(house, budget) == 0

    assert LOOK_EVERY <= await budget._round() < 1.1 * LOOK_EVERY
    assert house.scopes.opened_by(SCOPE) is None
    clock.advance(SAID_AFTER)
    await budget._round()
    said = house.scopes.opened_by(SCOPE)
    assert said is not None and "hours_per_day" in said.message and "SIGHUP" in said.remedy
    assert said.retry_at == pytest.approx(windows(clock.now()).next_day)

    clock.advance(1800.0)
    await budget._round()
    assert house.scopes.opened_by(SCOPE) is None
    assert await claim(house, budget) == 1


async def test_what_a_claim_holds_long_after_it_was_measured_is_noticed(
    house: House, budget: Budget, clock: FakeClock
) -> None:
    """Measuring may take minutes; meanwhile the room has looked, found nothing held, and rests for a minute."""
    await take(house, "a.mp3")
    assert await claim(house, budget) == 1
    await take(house, "b.mp3")
    measured = await budget.measured(())
    budget.wake.clear()
    clock.advance(ATTENTIVE_FOR)
    assert await budget._round() > LOOK_EVERY

    assert await claim_with(house, measured) == 0
    assert await budget.measured(()) == {}, "who claims asks for more"

    assert budget.wake.is_set()
    assert await budget._round() < 2 * LOOK_EVERY


async def test_a_limit_that_goes_on_holding_is_said_once_and_another_one_anew(
    house: House, budget: Budget, clock: FakeClock
) -> None:
    day, month = 3600.0, 15 / 3600
    house.settings = replace(house.settings, limits=LimitsSettings(hours_per_day=day, hours_per_month=month))
    await take(house, "a.mp3")
    assert await claim(house, budget) == 1
    await take(house, "b.mp3")
    assert await claim(house, budget) == 0

    with capture_logs() as log:
        for seconds in (SAID_AFTER, 86400.0, 86400.0):
            clock.advance(seconds)
            await budget._round()
        [first] = log
        assert first["event"] == "scope.opened" and "`limits.hours_per_month`" in first["message"]
        assert "hours_per_day" not in first["message"] and "with the next month" in first["remedy"]

        house.settings = replace(house.settings, limits=LimitsSettings(hours_per_day=day, hours_per_month=16 / 3600))
        await budget._round()
    assert [line["event"] for line in log[1:]] == ["scope.closed", "scope.opened"]


async def test_a_file_longer_than_the_whole_day_is_said_at_once_and_goes_on_when_the_limit_is_raised(
    house: House, budget: Budget
) -> None:
    await take(house, "epic.mp3", seconds=100.0)
    assert await claim(house, budget) == 0

    await budget._round()
    said = house.scopes.opened_by(TOO_LONG)
    assert said is not None and "more than the whole day's limit" in said.message
    assert house.scopes.opened_by(SCOPE) is None

    house.settings = replace(house.settings, limits=LimitsSettings(hours_per_day=1.0))
    await budget._round()
    assert house.scopes.opened_by(TOO_LONG) is None
    assert await claim(house, budget) == 1


async def submit(house: House, body: bytes = b"{}") -> int:
    """Everything that was claimed is uploaded, submitted and answered; the batch."""
    ledger, now = house.ledger, house.clock.now()
    query = "SELECT id FROM recognition WHERE state = 'uploading'"
    for number in await ledger.look(lambda connection: list(connection.exec_driver_sql(query).scalars())):
        await ledger.do(uploads.all_uploaded, [(number, False)], now)
    [group] = await ledger.look(batches.ready_groups, now)
    row = await ledger.do(batches.intend, group, 100, WHO, 1, now, None)
    assert row is not None
    await ledger.do(batches.accepted, row.id, "task-1", None, now)
    await ledger.do(judgements.answered, row.id, {item.recognition_id: body for item in row.items}, now)
    return row.id


@pytest.mark.parametrize(("said", "seconds"), [(7500, 7.5), (None, 10.0)])
async def test_where_the_bill_is_silent_the_speech_in_the_result_counts(
    house: House, budget: Budget, said: int | None, seconds: float
) -> None:
    await take(house, "a.mp3")
    await claim(house, budget)
    channel = {"channel_id": 0} | ({} if said is None else {"content_duration_in_milliseconds": said})
    row = await submit(house, gzip.compress(json.dumps({"transcripts": [channel]}).encode()))
    await house.ledger.do(judgements.close_if_judged, row, None, house.clock.now())

    await budget._round()

    used = await house.ledger.look(spending.usage, 0.0)
    assert (used.billed, used.guessed, used.reserved) == (0.0, seconds, 0.0)


class SetBack(FakeClock):
    """A wall clock that is eight hours ahead, until somebody notices."""

    ahead = 8 * 3600.0

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.mark.parametrize("restarts", [False, True])
async def test_no_file_waits_for_a_moment_that_a_clock_which_was_wrong_has_named(
    tmp_path: Path, restarts: bool
) -> None:
    """As that of a machine that has just started; the storage refuses such a clock, so all of its uploads wait."""
    clock, due = SetBack(HALF_PAST_ELEVEN), list[None]()
    with furnished(tmp_path, clock) as house, ThreadPoolExecutor(1) as threads:
        budget = Budget(house, threads, Durations(), lambda: None, lambda: due.append(None))
        if not restarts:
            await budget._round()
        await take(house, "ready.mp3")
        await claim(house, budget)
        await house.ledger.do(uploads.all_uploaded, [(1, False)], clock.now())
        clock.advance(1.0)
        await take(house, "refused.mp3")
        await claim(house, budget)
        await house.ledger.do(uploads.put_back, 2, clock.now())
        clock.ahead = 0.0
        assert await claim(house, budget) == 0

        await budget._round()

        assert await claim(house, budget) == 1
        [group] = await house.ledger.look(batches.ready_groups, clock.now())
        assert group.oldest == clock.now()
        assert due == [None]
        await budget._round()
        assert due == [None], "once"
