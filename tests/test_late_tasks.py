"""Every submit is looked back at, and none makes the list be read before that is due."""

from pathlib import Path
from typing import Any, cast

from clocks import FakeClock
from dropscribe.clock import Wake
from dropscribe.late_tasks import TOGETHER, LateTasks
from dropscribe.lost import LATER
from houses import furnished


async def test_only_what_is_to_be_looked_back_at_first_calls_for_it(tmp_path: Path) -> None:
    """While a lost submit is in doubt, each call is a reading of the whole list."""
    clock, wake = FakeClock(), Wake()
    with furnished(tmp_path, clock) as house:
        late = LateTasks(house, cast(Any, None), wake)
        late.look_back_later(1)
        assert wake.is_set()
        first = late.next_look

        wake.clear()
        for batch_id in range(2, 6):
            clock.advance(1.0)
            late.look_back_later(batch_id)
        assert not wake.is_set() and late.next_look == first

        clock.advance(LATER + 2 * TOGETHER)
        await late.due()
        late.look_back_later(6)
        assert wake.is_set()
