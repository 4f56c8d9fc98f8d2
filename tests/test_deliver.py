"""What a deliverer finds out of order holds up nothing longer than it has to."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from clocks import FakeClock
from dropscribe.deliver import Deliverer
from dropscribe.folders import FolderGuard, missing
from dropscribe.ledger import intake
from dropscribe.model import Failure, Look
from houses import furnished


async def test_a_folder_that_was_tried_while_another_failed_can_be_tried_at_once(tmp_path: Path) -> None:
    """The intake of the inbox may be waiting for that."""
    clock, away = FakeClock(), tmp_path / "inbox"

    class Guard(FolderGuard):
        def check(self) -> None:
            if self.path == away:
                raise missing(away)

    with furnished(tmp_path, clock) as house, ThreadPoolExecutor(2) as threads:
        house.guard = lambda folder: Guard(folder, lambda _: None, lambda *_: None)
        failure = Failure("FILE_TOO_LARGE", "it is too large", "cut it")
        await house.ledger.do(intake.take_failed, "talks", b"talk.mp3", Look(1, 1, 1), failure, clock.now())
        deliverer = Deliverer("talks", house, threads, cast(Any, lambda: None))
        await deliverer._round(deliverer._failures, clock.now())
        clock.advance(house.scopes.wait(f"folder:{away}"))

        away = tmp_path / "failed"
        await deliverer._round(deliverer._failures, clock.now())

        assert {scope.name for scope in house.scopes.open_scopes()} == {
            f"folder:{tmp_path}/{n}" for n in ("inbox", "failed")
        }
        assert house.scopes.may_pass(f"folder:{tmp_path}/inbox")
