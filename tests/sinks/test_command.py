"""A command is told on its stdin and in its environment, within its time, and without our secrets."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from dropscribe.ledger.notices import Message, Notice
from dropscribe.sinks import NotTold
from dropscribe.sinks.command import Command, harmless
from lab import eventually

ONE = Notice(1, 0.0, "talks", b"a.mp3", None, None, None, None, None, None, (), {})
MESSAGE = Message("msg_1", "command", "delivered", 0, (ONE,))
BODY = json.dumps({"text": "x" * 100_000}).encode()


def shell(script: str, timeout: float = 10.0) -> Command:
    return Command(["/bin/sh", "-c", script], timeout, os.environ, ())


async def test_it_reads_the_message_and_ends_with_0(tmp_path: Path) -> None:
    await shell(f"cat > {tmp_path}/in; echo $DROPSCRIBE_PATH > {tmp_path}/path").tell(MESSAGE, BODY)

    assert (tmp_path / "in").read_bytes() == BODY
    assert (tmp_path / "path").read_text() == "a.mp3\n"


async def test_it_need_not_read_and_its_output_may_be_large() -> None:
    await shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2").tell(MESSAGE, BODY)


async def test_another_end_is_a_message_not_taken_with_what_it_said() -> None:
    with pytest.raises(NotTold, match="ended with 3: no such room") as caught:
        await shell("echo no such room >&2; exit 3").tell(MESSAGE, BODY)

    assert caught.value.its_own


async def test_one_that_cannot_be_started_is_said() -> None:
    with pytest.raises(NotTold, match="cannot be started: No such file") as caught:
        await Command(["/nowhere/tell"], 1.0, os.environ, ()).tell(MESSAGE, BODY)

    assert not caught.value.its_own


async def test_after_its_time_it_is_ended_with_all_it_has_started(tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! > {tmp_path}/child; wait"

    with pytest.raises(NotTold, match=r"still running after 0\.3 s"):
        await shell(script, 0.3).tell(MESSAGE, BODY)

    assert_gone(tmp_path / "child")


async def test_when_the_daemon_stops_it_is_ended_as_well(tmp_path: Path) -> None:
    telling = asyncio.ensure_future(shell(f"echo $$ > {tmp_path}/child; exec sleep 1000").tell(MESSAGE, BODY))
    await asyncio.to_thread(eventually, lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())

    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling

    assert_gone(tmp_path / "child")


async def test_what_it_leaves_in_the_background_holds_nobody_up(tmp_path: Path) -> None:
    began = time.monotonic()

    await shell(f"sleep 5 & echo $! > {tmp_path}/child").tell(MESSAGE, BODY)

    assert time.monotonic() - began < 4
    os.kill(int((tmp_path / "child").read_text()), 9)


def assert_gone(pid_file: Path) -> None:
    eventually(lambda: not is_alive(pid_file.read_text().strip()))


def is_alive(pid: str) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_its_environment_holds_none_of_our_secrets_under_whatever_name() -> None:
    ours = {"DASHSCOPE_API_KEY": "x", "OSS_ACCESS_KEY_ID": "y", "NOTIFY_SOCKET": "@"}

    assert harmless(ours | {"PATH": "/bin", "MINE": "key=sk-1"}, ["sk-1", ""]) == {"PATH": "/bin"}
