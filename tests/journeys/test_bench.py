"""The measurements of `bench/` still run; what they measure is no matter of tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.journey
ROOT = Path(__file__).parents[2]
TOO_LONG = 120.0
SOURCE = "import json; from bench.report import AIMS; print(json.dumps([[aim.bench, aim.figure] for aim in AIMS]))"


def bench(*arguments: str) -> str:
    """What a program of `bench/` printed; it must end well."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=TOO_LONG, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name", ["small-files", "plain-loop", "large-file", "latency", "idle", "start", "backlog", "beside", "soak"]
)
def test_each_measurement_runs_and_has_every_figure_that_an_aim_speaks_of(name: str) -> None:
    aimed_at = {figure for of, figure in json.loads(bench("-c", SOURCE)) if of == name}

    said = bench("-m", "bench", name, "--quick")

    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert rows
    assert {row["bench"] for row in rows} == {name}
    assert aimed_at <= {figure for row in rows for figure in row}


def test_subtitles_are_judged_as_part_of_all() -> None:
    assert "clean" in bench("-m", "bench", "subtitles", "--quick")
