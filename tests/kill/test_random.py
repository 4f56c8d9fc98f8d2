"""Deaths from outside, at moments nobody chose, in a life full of faults. `make kills ROUNDS=1000` for more of them."""

import os
import time
from pathlib import Path

import pytest

from dropscribe.sandbox import running_sandbox
from kill.turmoil import Turmoil
from lab import FAST, Lab

pytestmark = pytest.mark.kill

ROUNDS = int(os.environ.get("DROPSCRIBE_KILLS", "200"))
SEED = int(os.environ.get("DROPSCRIBE_SEED", "20261120"))


@pytest.mark.parametrize("done", ["moved", "kept"])
def test_the_books_balance_after_a_hundred_kills_amid_faults(tmp_path: Path, done: str) -> None:
    """Half of the rounds in each way of leaving sources."""
    begun = time.monotonic()
    with running_sandbox(FAST) as sandbox:
        turmoil = Turmoil(Lab(tmp_path, sandbox, forked=True), SEED, keeps=done == "kept")
        for _ in range(ROUNDS // 2):
            turmoil.round()
        turmoil.settle()

        turmoil.assert_books_balance()
    print(f"{ROUNDS // 2} kills, {len(turmoil.files)} files, {time.monotonic() - begun:.0f} s; died after:")
    print(*(f"{times:6} {event}" for event, times in turmoil.deaths.most_common()), sep="\n")
