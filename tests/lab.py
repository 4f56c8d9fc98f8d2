"""A sandbox, a folder with a configuration, and the real `dropscribe` as a child process: what journeys are made in."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dropscribe.sandbox import RunningSandbox, SandboxSettings
from dropscribe.watch import is_probe
from forked import Forked

FAST = SandboxSettings(pending_seconds=0.05, task_seconds=0.2, enforce_rates=False)
AT_ONCE = SandboxSettings(pending_seconds=0.01, task_seconds=0.05, file_seconds=0.0, enforce_rates=False)
LAUNCH = Path(__file__).parent / "kill" / "launch.py"
TOO_LONG = 60.0
QUICK: dict[str, Any] = {
    "model_studio": {"lost_submit_grace": "300ms", "poll": {"first": "50ms", "longest": "500ms"}},
    "batch": {"max_wait": "200ms"},
    "retry": {"first_wait": "50ms", "longest_wait": "500ms"},
}
QUICK_FOLDER = {"settle": "100ms", "rescan": "500ms"}


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more` over `base`, section by section."""
    result = dict(base)
    for key, value in more.items():
        here = result.get(key)
        result[key] = merged(here, value) if isinstance(here, Mapping) and isinstance(value, Mapping) else value
    return result


def quick_inbox(folder: str, **more: Any) -> dict[str, Any]:
    """One entry of `inboxes`: `FOLDER/inbox`, beside which its other folders lie."""
    return {"inbox": f"{folder}/inbox", **QUICK_FOLDER, **more}


class Lab:
    """One configuration in one folder, against one sandbox."""

    def __init__(self, root: Path, sandbox: RunningSandbox, forked: bool = False, quick: bool = True) -> None:
        """`forked` spares each child the second that importing takes: see `forked.Forked`. Without `quick` all waits
        are those that a user has.
        """
        self.root = root
        self.forked = forked
        self.quick = quick
        self.sandbox = sandbox
        self.config = root / "config.yaml"
        self.inbox, self.outbox = root / "inbox", root / "outbox"
        self.done, self.failed, self.state = root / "done", root / "failed", root / "state"
        self.configure()

    def configure(self, inbox: Mapping[str, Any] | None = None, **sections: Any) -> None:
        """Write config.yaml: quick waits, then what the test wants. `inboxes` replaces the one default inbox."""
        settings = self.sandbox.settings
        services = {
            "model_studio": {"endpoint": self.sandbox.url, "api_key": settings.api_key},
            "storage": {
                "bucket": settings.bucket,
                "region": settings.region,
                "endpoint": self.sandbox.url,
                "public_endpoint": self.sandbox.url,
                "access_key_id": settings.access_key_id,
                "access_key_secret": settings.access_key_secret,
            },
            "inboxes": [{"name": "talks", "inbox": "inbox", **(QUICK_FOLDER if self.quick else {}), **(inbox or {})}],
        }
        base = merged(services, QUICK if self.quick else {})
        self.config.write_text(yaml.safe_dump(merged(base, sections)))

    def drop(self, path: str | bytes, content: bytes | None = None, inbox: str = "inbox") -> bytes:
        """Put a file into the inbox; its content, by default its own name, told apart from all others."""
        name = os.fsencode(path)
        target = os.path.join(os.fsencode(self.root / inbox), name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        data = b"sound of " + name * 20 if content is None else content
        with open(target, "wb") as file:
            file.write(data)
        return data

    def command(self, *arguments: str, kill_at: str | None = None) -> list[str]:
        """argv of `dropscribe ...` with this configuration; `kill_at` is `step:phase:n`."""
        start = [sys.executable, str(LAUNCH), kill_at] if kill_at else [sys.executable, "-m", "dropscribe"]
        return [*start, *arguments, "--config", str(self.config)]

    def call(self, *arguments: str, kill_at: str | None = None, umask: int = -1) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        if self.forked and kill_at is None:
            return self._call_forked([*arguments, "--config", str(self.config)], umask)
        return subprocess.run(
            self.command(*arguments, kill_at=kill_at),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=TOO_LONG,
            check=False,
            env=clean_environment(),
            umask=umask,
        )

    def _call_forked(self, arguments: list[str], umask: int) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = Forked(arguments, self.root, clean_environment(), err, out, umask)
            try:
                code = process.wait(TOO_LONG)
            finally:
                process.kill()
            return subprocess.CompletedProcess(process.args, code, out.read_text(), err.read_text())

    def run_once(self, patience: str = "10s", kill_at: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.call("run", "--once", "--patience", patience, kill_at=kill_at)

    def start(self) -> "Daemon":
        """The daemon as a child; use it in a `with`."""
        return Daemon(self)

    def outputs(self) -> dict[str, bytes]:
        """Every file below the outbox, by its path there."""
        return files_below(self.outbox)

    def heard(self, outbox: str = "outbox") -> dict[str, str]:
        """The sha256 that each transcript below an outbox speaks of, by its path there."""
        found = files_below(self.root / outbox)
        return {path: json.loads(found[path])["source"]["sha256"] for path in found if path.endswith(".json")}

    def transcript(self, path: str) -> dict[str, Any]:
        """One transcript of the outbox."""
        document: dict[str, Any] = json.loads((self.outbox / path).read_bytes())
        return document

    def billed(self) -> Counter[str]:
        """How often each content was billed, by its sha256."""
        return Counter(entry["sha256"] for entry in self.sandbox.state()["book"])

    def calls(self, name: str) -> int:
        """How often the sandbox got a call."""
        return int(self.sandbox.state()["calls"].get(name, {}).get("count", 0))

    def ledger(self, query: str, *values: Any) -> list[Any]:
        """A look into the ledger of a daemon that does not run."""
        with sqlite3.connect(self.state / "ledger.sqlite") as connection:
            return connection.execute(query, values).fetchall()

    def assert_bucket_is_empty(self) -> None:
        state = self.sandbox.state()
        assert state["objects"] == [], "objects were left in the bucket"
        assert state["uploads"] == [], "unfinished uploads were left in the bucket"

    def assert_nothing_private_is_left(self) -> None:
        left = list(self.root.rglob(".dropscribe-*"))
        assert left == [], "temporary files were left"


class Daemon:
    """A running `dropscribe run`, stopped at the end of the `with`."""

    def __init__(self, lab: Lab) -> None:
        self.log_path = lab.root / f"daemon-{time.monotonic_ns()}.log"
        self.process = self._forked(lab) if lab.forked else self._executed(lab)

    def _forked(self, lab: Lab) -> Forked:
        arguments = ["run", "--log-format", "json", "--config", str(lab.config)]
        self.log_path.touch()
        return Forked(arguments, lab.root, clean_environment(), self.log_path)

    def _executed(self, lab: Lab) -> "subprocess.Popen[bytes]":
        with open(self.log_path, "wb") as log:
            command = lab.command("run", "--log-format", "json")
            return subprocess.Popen(command, cwd=lab.root, stderr=log, env=clean_environment())

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TOO_LONG)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TOO_LONG)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(TOO_LONG)

    def events(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return events_in(self.log_path.read_text())

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events() if line["event"] == event]


def events_in(log: str) -> list[dict[str, Any]]:
    """The events of a JSON log; a line that is still being written is left out."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{") and line.endswith("}")]


def eventually(condition: Callable[[], Any], within: float = 20.0) -> Any:
    """Wait for what another process does; fails loudly where it does not happen."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if value := condition():
            return value
        os.sched_yield()
        select_pause()
    raise AssertionError(f"did not happen within {within} s: {condition}")


def select_pause() -> None:
    """Give the other process the processor for a moment."""
    signal.sigtimedwait([], 0.02)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every regular file, by its path in the folder; one that goes while it is looked at is not there.

    Nor is the probe of an inbox, which comes and goes while a daemon runs; whether one is left at the end,
    `assert_nothing_private_is_left` sees.
    """
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not is_probe(os.fsencode(path.name)):
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def free_port() -> int:
    """A port of this machine that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def clean_environment() -> dict[str, str]:
    """No credentials and no configuration of the person who runs the tests."""
    hidden = ("DASHSCOPE", "OSS_", "DROPSCRIBE", "CREDENTIALS")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
