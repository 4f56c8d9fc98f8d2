"""A death at any boundary of the flow changes nothing but the time.

The rows come from the code itself: a step that is added without a scenario that reaches it fails here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

import dropscribe.service  # noqa: F401 - imports every room, so that all steps are declared
from dropscribe.boundaries import all_boundaries
from dropscribe.sandbox import running_sandbox
from kill.scenarios import SCENARIOS, everyday, judge_of
from lab import FAST, Lab

pytestmark = pytest.mark.kill


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running_sandbox(FAST) as sandbox:
        yield Lab(tmp_path, sandbox)


@pytest.mark.parametrize(("step", "phase"), all_boundaries(), ids=str)
def test_a_death_here_changes_nothing_but_the_time(lab: Lab, step: str, phase: str) -> None:
    files = SCENARIOS.get(step, everyday)(lab)

    died = lab.run_once(kill_at=f"{step}:{phase}:1")
    assert died.returncode == -9, f"no scenario passes {step}:{phase}; {died.stderr[-2000:]}"

    after = lab.run_once()
    # 2: a file failed in this run; it may have failed before the death
    assert after.returncode in ((0, 2) if "broken.m4a" in files else (0,)), after.stderr[-3000:]
    judge_of(step)(lab, files)
