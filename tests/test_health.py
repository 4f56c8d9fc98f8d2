"""One rule says whether a daemon makes progress."""

from dataclasses import replace

import pytest

from dropscribe.health import LEDGER_DEAF, LOOP_DEAF, STANDSTILL, Signs, trouble

NOW = 10_000.0
WELL = Signs(now=NOW, loop_at=NOW, ledger_at=NOW, moved_at=NOW)
STILL = replace(WELL, moved_at=NOW - STANDSTILL - 1, due=True)


@pytest.mark.parametrize(
    "signs",
    [
        WELL,
        replace(WELL, moved_at=0.0),  # nothing to do for hours
        replace(STILL, held_up=True),  # a fault of the world: a restart would change nothing
        replace(STILL, out=True),  # a long upload, a long task
        replace(WELL, loop_at=NOW - LOOP_DEAF, ledger_at=NOW - LEDGER_DEAF),
    ],
)
def test_who_waits_with_a_reason_is_well(signs: Signs) -> None:
    assert trouble(signs) is None


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (replace(WELL, loop_at=NOW - LOOP_DEAF - 1), "event loop"),
        (replace(WELL, ledger_at=NOW - LEDGER_DEAF - 1), "ledger has not answered"),
        (STILL, "nothing has moved"),
        (replace(WELL, ended=("upload",)), "upload"),
    ],
)
def test_what_only_a_restart_or_a_person_can_mend_is_said(signs: Signs, said: str) -> None:
    found = trouble(signs)

    assert found is not None and said in found
