"""The unit files as texts: known keys, little exposure, every line with its reason, both alike."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
BOTH = [UNITS / "dropscribe.service", UNITS / "dropscribe@.service"]

analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")


@pytest.mark.parametrize("unit", BOTH, ids=lambda unit: unit.name)
@analyze
def test_its_offline_exposure_is_at_most_1_3(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=13", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", BOTH, ids=lambda unit: unit.name)
@analyze
def test_systemd_knows_every_key(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)], capture_output=True, text=True, check=False
    )
    complaints = [
        line for line in done.stderr.splitlines() if "/opt/dropscribe/bin/dropscribe is not executable" not in line
    ]
    assert complaints == []


@pytest.mark.parametrize("unit", [*BOTH, UNITS / "own-folders.conf"], ids=lambda unit: unit.name)
def test_every_setting_of_the_service_has_its_reason_above_it(unit: Path) -> None:
    service = unit.read_text().split("[Service]\n")[1].split("\n[Install]")[0]
    assert _without_reason(service.splitlines()) == []


def _without_reason(lines: list[str]) -> list[str]:
    """Settings before which no comment stands in their paragraph."""
    found, explained = [], False
    for line in lines:
        if not line:
            explained = False
        elif line.startswith("#"):
            explained = True
        elif not explained:
            found.append(line)
    return found


def test_the_template_differs_from_the_plain_unit_only_in_names() -> None:
    plain, template = (_settings(unit) for unit in BOTH)
    named = [line.replace("/%i.yaml", "/config.yaml").replace("-%i", "").replace(", %i", "") for line in template]
    assert named == plain


def _settings(unit: Path) -> list[str]:
    return [line for line in unit.read_text().splitlines() if line and not line.startswith("#")]
