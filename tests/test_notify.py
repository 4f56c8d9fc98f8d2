"""Notices go out at least once, in bursts as few messages, and nothing waits for a receiver that does not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clocks import FakeClock
from dropscribe.config.settings import NotifySettings
from dropscribe.house import House
from dropscribe.ledger import notices
from dropscribe.ledger.notices import EVENTS, Message
from dropscribe.model import Scope
from dropscribe.notify import GATHER, LOOK_EVERY, Notifier
from dropscribe.sinks import NotTold, Sink
from houses import furnished


class Ear:
    """A receiver: fails as often as `fails` says, then takes what it is told."""

    name = "webhook"

    def __init__(self, *fails: NotTold) -> None:
        self.fails = list(fails)
        self.told: list[Message] = []
        self.tries = 0

    async def tell(self, message: Message, body: bytes) -> None:
        self.tries += 1
        if self.fails:
            raise self.fails.pop(0)
        self.told.append(message)

    async def close(self) -> None: ...


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[House]:
    with furnished(tmp_path, clock, notify=NotifySettings(events=EVENTS, keep=3600.0)) as built:
        yield built


async def notifier(house: House, *ears: Sink) -> Notifier:
    built = Notifier(house, lambda settings: ears)
    await built.subscribe()
    return built


async def happen(house: House, *names: str) -> None:
    """Scopes open."""
    for name in names:
        scope = Scope(name, "Code", "out of order", "mend it", house.clock.now(), house.clock.now())
        await house.ledger.do(notices.tell_of_scope, notices.SCOPE_OPENED, scope, house.clock.now())


async def rounds(room: Notifier, number: int) -> list[float]:
    """The pauses between so many rounds with the first sink."""
    return [await room._round(room._sinks[0]) for _ in range(number)]


def scopes(messages: Sequence[Message]) -> list[str]:
    return [one.body["scope"] for message in messages for one in message.notices]


async def test_what_was_taken_is_told_once(house: House) -> None:
    ear = Ear()
    room = await notifier(house, ear)
    await happen(house, "storage")

    assert await rounds(room, 2) == [GATHER, LOOK_EVERY]
    assert scopes(ear.told) == ["storage"]


async def test_a_message_that_was_not_recorded_as_taken_is_told_again_under_the_same_id(house: House) -> None:
    await notifier(house, Ear())
    await happen(house, "storage")
    before = await house.ledger.do(notices.next_message, "webhook", house.ledger.id, house.clock.now(), 100)

    ear = Ear()
    await rounds(await notifier(house, ear), 1)

    assert before is not None and [message.id for message in ear.told] == [before.id]


async def test_a_receiver_that_is_away_rests_longer_and_longer_and_keeps_the_order(
    house: House, clock: FakeClock
) -> None:
    ear = Ear(*(NotTold("nobody there") for _ in range(3)))
    room = await notifier(house, ear)
    await happen(house, "storage", "api")

    with capture_logs() as lines:
        assert await rounds(room, 4) == [5.0, 10.0, 20.0, GATHER]
        await rounds(room, 1)

    assert scopes(ear.told) == ["storage", "api"]
    assert [line["event"] for line in lines] == ["notify.failing", "notify.works"]


async def test_a_message_that_is_refused_for_itself_blocks_nobody(house: House, clock: FakeClock) -> None:
    ear = Ear(NotTold("answered 400", its_own=True))
    room = await notifier(house, ear)
    await happen(house, "storage", "api")

    await rounds(room, 2)
    assert scopes(ear.told) == ["api"]
    clock.advance(6.0)
    await rounds(room, 1)

    assert scopes(ear.told) == ["api", "storage"]


async def test_a_receiver_that_says_when_is_not_asked_before(house: House) -> None:
    room = await notifier(house, Ear(NotTold("answered 503", retry_after=120.0)))
    await happen(house, "storage")

    assert await rounds(room, 1) == [120.0]


async def test_what_nobody_takes_for_too_long_is_dropped_with_a_line(house: House, clock: FakeClock) -> None:
    ear = Ear()
    room = await notifier(house, ear)
    await happen(house, "storage")
    clock.advance(3601.0)

    with capture_logs() as lines:
        await rounds(room, 1)

    assert ear.told == []
    assert [(line["event"], line["notices"]) for line in lines] == [("notify.dropped", 1)]


async def test_a_run_that_ends_tells_all_that_there_is_and_gives_up_on_who_does_not_answer(house: House) -> None:
    well, ill = Ear(), Ear(NotTold("nobody there"))
    ill.name = "command"
    room = await notifier(house, well, ill)
    await happen(house, "storage", "api")

    await room.flush(5.0)

    assert scopes(well.told) == ["storage", "api"]
    assert ill.tries == 1
    assert (await house.ledger.look(notices.waiting))[0] == 2


async def test_a_bug_in_telling_ends_no_run(house: House) -> None:
    class Broken(Ear):
        async def tell(self, message: Message, body: bytes) -> None:
            raise ZeroDivisionError

    room = await notifier(house, Broken())
    await happen(house, "storage")

    with capture_logs() as lines:
        await room.flush(5.0)

    assert [line["event"] for line in lines] == ["notify.bug"]
    assert (await house.ledger.look(notices.waiting))[0] == 1
