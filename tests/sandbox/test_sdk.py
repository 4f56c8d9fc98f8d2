"""The official SDK takes the sandbox for Model Studio."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from dropscribe.sandbox import RunningSandbox, demo_recordings

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-sdk" / "bin" / "python"

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(
        not PYTHON.exists() and os.environ.get("DROPSCRIBE_REQUIRE_SDK") != "1",
        reason="the official SDK is not installed: see tests/sandbox/sdk-requirements.txt",
    ),
]


def seen_by_sdk(sandbox: RunningSandbox, *urls: str, key: str = "sk-sandbox") -> dict[str, Any]:
    command = [PYTHON, HERE / "sdk_client.py", f"{sandbox.url}/api/v1", key, *urls]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "127.0.0.1"}
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout.splitlines()[-1]))


def test_it_submits_fetches_waits_and_reads_the_result(sandbox: RunningSandbox, put: Callable[..., str]) -> None:
    [welcome] = [path for path in demo_recordings() if path.name == "welcome_zh.wav"]
    urls = [put("welcome.wav", welcome.read_bytes()), put("silent.wav", b"NOSPEECH")]

    seen = seen_by_sdk(sandbox, *urls)

    assert seen["submitted"] == [200, "PENDING"]
    assert seen["fetched"][0] == 200
    assert seen["fetched"][2] == 2
    assert seen["ended"] == [200, "SUCCEEDED"]
    assert [[r[0], r[2]] for r in seen["results"]] == [
        ["SUCCEEDED", None],
        ["FAILED", "SUCCESS_WITH_NO_VALID_FRAGMENT"],
    ]
    document = requests.get(seen["results"][0][1], timeout=5).json()
    assert document["transcripts"][0]["text"] == "欢迎大家来体验达摩院推出的语音识别模型。"
    assert seen["usage"] == 5
    assert seen["listed"] == [200]
    assert seen["cancelled"] == [400, "UnsupportedOperation"]
    assert [t["parameters"]["diarization_enabled"] for t in sandbox.state()["tasks"]] == [True]


def test_it_reads_a_refusal_as_the_services_own(sandbox: RunningSandbox) -> None:
    seen = seen_by_sdk(sandbox, "http://127.0.0.1/a.wav", key="sk-wrong")

    assert seen["submitted"][:2] == [401, "InvalidApiKey"]
