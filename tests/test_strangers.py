"""What another key submitted is one alarm, as long as somebody waits for any of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.house import House
from dropscribe.ledger import batches, forgetting, intake, uploads
from dropscribe.ledger.rows import BatchRow
from dropscribe.model import ACCOUNT
from dropscribe.strangers import Strangers
from houses import furnished
from ledger.desk import NOW, WHO, file


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with furnished(tmp_path) as built:
        yield built


def submitted(house: House, content: str) -> BatchRow:
    """A batch of one file of this content, in a task."""
    do, epoch = house.ledger.do_now, house.ledger.epoch
    do(intake.take, "talks", [file(f"{content}.mp3".encode(), content)], NOW)
    [job] = do(uploads.claim, 1, NOW, epoch, lambda suffix: f"key-{content}.{suffix}", 1000)
    do(uploads.all_uploaded, [(job.recognition_id, False)], NOW)
    row = do(batches.intend, house.ledger.look_now(batches.ready_groups, NOW)[0], 1, WHO, epoch, NOW, None)
    assert row is not None
    do(batches.accepted, row.id, f"task-{content}", None, NOW)
    return row


def alarms(house: House) -> list[str]:
    return [scope.name for scope in house.scopes.open_scopes()]


async def test_the_alarm_opens_with_the_first_batch_and_ends_with_the_last(house: House) -> None:
    strangers, first, second = Strangers(house.ledger, house.scopes), submitted(house, "a"), submitted(house, "b")
    await strangers.hidden(first)
    await strangers.hidden(second)

    await strangers.seen(first.id)
    between = alarms(house)
    await strangers.seen(second.id)

    assert (between, alarms(house), strangers.batches) == ([ACCOUNT], [], frozenset())


async def test_what_people_gave_up_is_no_alarm_until_somebody_waits_for_it_again(house: House) -> None:
    strangers, row = Strangers(house.ledger, house.scopes), submitted(house, "a")
    house.ledger.do_now(forgetting.give_up, [(1, "given up")], NOW, 0.0)

    await strangers.hidden(row)
    quiet = alarms(house)
    house.ledger.do_now(intake.take, "talks", [file(b"copy.mp3", "a")], NOW)
    await strangers.hidden(row)

    assert (quiet, alarms(house)) == ([], [ACCOUNT])
    assert strangers.batches == {row.id}
