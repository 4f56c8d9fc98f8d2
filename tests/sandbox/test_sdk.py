"""The official SDK takes the sandbox for Model Studio."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from contract.judge import Judge
from contract.sdk_table import answered, proved_by
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


ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "127.0.0.1"}
ITS_OWN = {"x-dashscope-sdk-client is not of this call", "x-dashscope-sdk-session-id is not of this call"}
"""What the SDK tells about itself, and nobody else should."""


def seen_by_sdk(sandbox: RunningSandbox, *urls: str, key: str = "sk-sandbox") -> dict[str, Any]:
    command = [PYTHON, HERE / "sdk_client.py", f"{sandbox.url}/api/v1", key, *urls]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
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


Ask = Callable[..., dict[str, Any]]


@contextmanager
def session(sandbox: RunningSandbox) -> Iterator[Ask]:
    """The SDK in a process of its own, doing one thing after the other."""
    command = [PYTHON, HERE / "sdk_session.py", f"{sandbox.url}/api/v1", "sk-sandbox"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as process:

        def ask(do: str, **arguments: Any) -> dict[str, Any]:
            process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            process.stdin.flush()
            return dict(json.loads(process.stdout.readline()))

        yield ask
        process.stdin.close()


def test_it_reads_every_kind_of_answer_as_what_it_is(
    sandbox: RunningSandbox, put: Callable[..., str], judge: Judge
) -> None:
    sandbox.change(pending_seconds=1000, task_seconds=2000)
    urls = {name: put(f"{name}.wav", content) for name, content in (("talk", b"sound"), ("silence", b"NOSPEECH"))}
    with session(sandbox) as ask:
        mixed = ask("async_call", model="fun-asr", file_urls=[urls["talk"], urls["silence"]])["output"]["task_id"]
        silent = ask("async_call", model="fun-asr", file_urls=[urls["silence"]])["output"]["task_id"]
        dropped = ask("async_call", model="fun-asr", file_urls=[urls["talk"]])["output"]["task_id"]
        waits = ask("fetch", task=mixed)
        cancelled, is_cancelled = ask("cancel", task=dropped), ask("fetch", task=dropped)
        sandbox.advance(1100)
        runs, refused = ask("fetch", task=mixed), ask("cancel", task=mixed)
        listed = ask("list", page_no=1, page_size=10)
        sandbox.advance(1100)
        ended, failed = ask("wait", task=mixed), ask("wait", task=silent)
        unknown, no_model = ask("fetch", task="nobody"), ask("async_call", model="whisper", file_urls=[urls["talk"]])
        sandbox.inject("query", "error", status=429, code="Throttling.RateQuota", message="Slow.")
        throttled = ask("fetch", task=mixed)

    assert [told["output"]["task_status"] for told in (waits, runs, is_cancelled, ended, failed, unknown)] == [
        *("PENDING", "RUNNING", "CANCELED", "SUCCEEDED", "FAILED", "UNKNOWN")
    ]
    assert waits["output"]["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 0, "FAILED": 0}
    assert [result["subtask_status"] for result in ended["output"]["results"]] == ["SUCCEEDED", "FAILED"]
    assert ended["usage"] == {"duration": 2}
    assert failed["output"]["code"] == "SUCCESS_WITH_NO_VALID_FRAGMENT"
    assert {row["task_id"] for row in listed["output"]["data"]} == {mixed, silent, dropped}
    assert cancelled["status_code"] == 200
    assert [(told["status_code"], told["code"]) for told in (refused, no_model, throttled)] == [
        (400, "UnsupportedOperation"),
        (404, "ModelNotFound"),
        (429, "Throttling.RateQuota"),
    ]
    assert proved_by("dashscope") == answered(sandbox) & {"submit", "query", "list", "cancel"}
    assert {breach.how for breach in judge.breaches} - ITS_OWN == {
        next(breach.how for breach in judge.breaches if "whisper" in breach.how)
    }
