"""The sandbox's own calls: for programs on this machine, and only for them."""

import os
from pathlib import Path
from typing import Any

import pytest
import requests
from fastcrc import crc64
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox
from dropscribe.sandbox.blobs import combined_crc64


def test_faults_clock_and_settings_can_be_set_over_http(studio: Any, sandbox: RunningSandbox) -> None:
    def admin(path: str, body: Any) -> dict[str, Any]:
        return dict(requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=5).json())

    before = sandbox.state()["now"]
    fault = {"call": "query", "does": "error", "status": 418}

    assert admin("faults", [fault]) == {"ok": True}
    assert admin("clock", {"advance": 1000}) == {"ok": True}
    assert admin("settings", {"submit_rate": 1, "models": ["fun-asr"]}) == {"ok": True}

    assert studio.get("/api/v1/tasks/x").status_code == 418
    state = requests.get(f"{sandbox.url}/_sandbox/state", timeout=5).json()
    assert state["now"] - before > 999
    assert state["faults"][0]["struck"] == 1
    assert sandbox.settings.submit_rate == 1
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=5)
    assert sandbox.state()["faults"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"call": "nothing", "does": "error"}),
        ("settings", {"submit_rat": 1}),
        ("settings", {"submit_rate": "fast"}),
        ("settings", {"port": 1}),
        ("settings", {"speed": 0}),
        ("clock", {"forward": 1}),
        ("clock", {"advance": "soon"}),
        ("settings", []),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(sandbox: RunningSandbox, path: str, body: Any) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://127.0.0.1"}, {"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"}]
)
def test_pages_in_a_browser_cannot_reach_them(sandbox: RunningSandbox, headers: dict[str, str]) -> None:
    answer = requests.get(f"{sandbox.url}/_sandbox/state", headers=headers, timeout=5)

    assert answer.status_code == 403


def test_objects_beyond_the_memory_limit_lie_in_files_that_go_with_them(bucket: Any, sandbox: RunningSandbox) -> None:
    blobs = sandbox.sandbox._bucket.blobs
    for number in range(30):
        bucket.put_object(f"{number}", os.urandom(4096))

    files = list(blobs._folder.iterdir())
    in_memory = blobs.in_memory
    bucket.batch_delete_objects([f"{number}" for number in range(30)])

    assert in_memory == 24 * 4096  # the fixture allows 100,000 bytes
    assert len(files) == 6
    assert (blobs.in_memory, list(blobs._folder.iterdir())) == (0, [])


def test_a_stopped_sandbox_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with running_sandbox():
        while_running = len(list(tmp_path.iterdir()))

    assert (while_running, list(tmp_path.iterdir())) == (1, [])


def test_a_port_in_use_is_an_error_and_leaves_nothing_running() -> None:
    with running_sandbox() as first:
        port = int(first.url.rpartition(":")[2])

        with pytest.raises(OSError, match="in use"), running_sandbox(SandboxSettings(port=port)):
            pass


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_crcs_of_pieces_combine_to_the_crc_of_the_whole(pieces: list[bytes]) -> None:
    combined = 0
    for piece in pieces:
        combined = combined_crc64(combined, crc64.xz(piece), len(piece))

    assert combined == crc64.xz(b"".join(pieces))
