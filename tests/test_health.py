"""One rule says whether a daemon makes progress, and whether a restart would mend it."""

from dataclasses import replace

import pytest

from dropscribe.health import LEDGER_DEAF, LOOP_DEAF, ROOM_DEAF, STANDSTILL, Signs, trouble

NOW = 10_000.0
WELL = Signs(now=NOW, loop_at=NOW, moved_at=NOW)
STILL = replace(WELL, moved_at=NOW - STANDSTILL - 1, due=True)
CALLED = replace(WELL, moved_at=0.0, rooms={"upload": NOW - ROOM_DEAF - 1})


@pytest.mark.parametrize(
    "signs",
    [
        WELL,
        replace(WELL, moved_at=0.0),  # nothing to do for hours
        replace(STILL, scopes=["api"]),  # a fault of the world: a restart would change nothing
        replace(STILL, scopes=["folder:/talks"]),
        replace(STILL, out=True),  # a long upload, a long task
        replace(WELL, loop_at=NOW - LOOP_DEAF, ledger_asked=NOW - LEDGER_DEAF),
        replace(CALLED, rooms={"upload": NOW - ROOM_DEAF}),
        replace(CALLED, scopes=["storage"]),  # it waits for that
        replace(CALLED, moved_at=NOW - 5),  # a long round that writes facts down
    ],
)
def test_who_waits_with_a_reason_is_well(signs: Signs) -> None:
    assert trouble(signs) is None


@pytest.mark.parametrize(
    ("signs", "what", "said"),
    [
        (replace(WELL, loop_at=NOW - LOOP_DEAF - 1), "loop", "event loop"),
        (replace(WELL, ledger_asked=NOW - LEDGER_DEAF - 1), "ledger", "ledger has not answered"),
        (replace(WELL, ledger_asked=NOW - LEDGER_DEAF - 1, scopes=["api"]), "ledger", "ledger has not answered"),
        (replace(WELL, ended=("upload",)), "rooms", "upload"),
        (CALLED, "upload", "upload has not come round"),
        (replace(CALLED, scopes=["folder:/talks"]), "upload", "upload has not come round"),
    ],
)
def test_what_a_restart_mends_is_a_hang(signs: Signs, what: str, said: str) -> None:
    found = trouble(signs)

    assert found is not None and found.hangs
    assert found.what == what and said in found.sentence


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (replace(WELL, ledger_full=True), "see to the disk"),
        (replace(WELL, scopes=["ledger"]), "see to the disk"),
        (replace(WELL, ledger_asked=0.0, scopes=["ledger"]), "see to the disk"),  # it insists, and knows why
        (STILL, "nothing has moved"),  # it may be a dead network disk
    ],
)
def test_what_a_person_has_to_see_to_is_no_hang(signs: Signs, said: str) -> None:
    found = trouble(signs)

    assert found is not None and not found.hangs
    assert said in found.sentence
