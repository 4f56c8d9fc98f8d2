"""`dropscribe sandbox` as a process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import yaml

COMMAND = [sys.executable, "-c", "from dropscribe.cli.sandbox import sandbox; sandbox()"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process, and what it printed before it served."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = []
        while "inbox:" not in (line := process.stdout.readline()):
            assert line, process.communicate()
            lines.append(line)
        yield process, "".join([*lines, line])
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_a_configuration_serves_and_ends_well_on_a_signal(number: signal.Signals) -> None:
    with started("--port", "0") as (process, printed):
        configuration = yaml.safe_load(printed)
        url = configuration["model_studio"]["endpoint"]
        headers = {"Authorization": f"Bearer {configuration['model_studio']['api_key']}"}
        answer = requests.get(f"{url}/api/v1/tasks/", headers=headers, timeout=5)
        process.send_signal(number)

        assert process.wait(5) == 0
    assert answer.status_code == 200
    assert configuration["storage"] == {
        "provider": "oss",
        "bucket": "sandbox",
        "region": "cn-beijing",
        "endpoint": url,
        "public_endpoint": url,
        "access_key_id": "sandbox",
        "access_key_secret": "sandbox-secret",
    }


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    with started("--port", "0") as (_, printed):
        port = yaml.safe_load(printed)["storage"]["endpoint"].rpartition(":")[2]

        second = subprocess.run([*COMMAND, "--port", port], check=False, capture_output=True, text=True, timeout=20)

    assert second.returncode == 1
    assert port in second.stderr
    assert "Traceback" not in second.stderr


def test_its_help_tells_the_markers_of_contents() -> None:
    shown = subprocess.run([*COMMAND, "--help"], check=False, capture_output=True, text=True, timeout=20).stdout

    assert "NOSPEECH" in shown
    assert "BROKEN:CODE" in shown
