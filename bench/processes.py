"""Child processes and what they cost, by the kernel's own account."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RUN = [sys.executable, "-m", "dropscribe", "run", "--log-format", "json"]
PEER = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("peers.py"))]
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_START = 600.0


@dataclass(frozen=True)
class Cost:
    """Of one finished process: seconds of wall and processor, and its largest resident memory in MB."""

    code: int
    wall: float
    cpu: float
    peak_mb: float


def run(command: Sequence[str], folder: Path, log_name: str = "log") -> Cost:
    """Run a command to its end; what it says goes to `log` in `folder`."""
    with open(folder / log_name, "ab") as log:
        start = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        return ended(child, start)


def ended(child: "subprocess.Popen[bytes]", start: float) -> Cost:
    """Wait for a child; what it has cost since `start` (monotonic)."""
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def peer(folder: Path, *arguments: object) -> Cost:
    """One of the plain programs of `peers.py`, with the configuration in `folder`; what it says goes to `peer`."""
    cost = run([*PEER, *map(str, arguments)], folder, "peer")
    if cost.code != 0:
        raise SystemExit(f"the plain program ended with {cost.code}: {(folder / 'peer').read_text()[-2000:]}")
    return cost


def run_once(folder: Path, files: int) -> Cost:
    """`dropscribe run --once` to its end, all of `files` delivered; its log goes to `log`."""
    cost = run([*RUN, "--once"], folder)
    check_delivered(folder, cost, files)
    return cost


def check_delivered(folder: Path, cost: Cost, files: int) -> None:
    """A measurement of work that was not done is none."""
    delivered = sum(len(names) for _, _, names in os.walk(folder / "done"))
    if cost.code != 0 or delivered != files:
        said = (folder / "log").read_text()[-2000:]
        raise SystemExit(f"exit code {cost.code}, {delivered} of {files} delivered; the log ends:\n{said}")


class Daemon:
    """A running `dropscribe run` that has said READY."""

    def __init__(self, child: "subprocess.Popen[bytes]", ready_after: float) -> None:
        self.pid = child.pid
        self.ready_after = ready_after
        """Seconds from its start to READY."""

    def cpu(self) -> float:
        """Processor seconds so far."""
        return cpu_of(self.pid)

    def rss_mb(self) -> float:
        return memory_of(self.pid, "VmRSS")

    def peak_mb(self) -> float:
        return memory_of(self.pid, "VmHWM")

    def quiet(self, longest: float) -> None:
        """Return once it has rested for a second, or after `longest` seconds."""
        end = time.monotonic() + longest
        while time.monotonic() < end:
            before = self.cpu()
            time.sleep(1.0)
            if self.cpu() - before < 0.02:
                return


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[Daemon]:
    """The daemon, told on a socket as systemd tells a service; stopped at the end."""
    address = folder / "notify"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard, open(folder / "log", "ab") as log:
        heard.bind(str(address))
        heard.settimeout(1.0)
        start = time.monotonic()
        environment = {**os.environ, "NOTIFY_SOCKET": str(address)}
        child = subprocess.Popen(RUN, cwd=folder, stdout=log, stderr=log, env=environment)
        try:
            _until_ready(heard, child, start + LONGEST_START)
            yield Daemon(child, time.monotonic() - start)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(20)


def _until_ready(heard: socket.socket, child: "subprocess.Popen[bytes]", end: float) -> None:
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(TimeoutError):
            if b"READY=1" in heard.recv(4096):
                return
    raise SystemExit(f"the daemon did not start (exit code {child.returncode}); it says why in its log")


def cpu_of(pid: int) -> float:
    """Seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int, which: str) -> float:
    """MB of a running process: `VmRSS` now, `VmHWM` at most so far; 0 where it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own; yields the configuration it prints."""
    command = [sys.executable, "-m", "dropscribe", "sandbox", "--port", "0", *options]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if line.strip().startswith("inbox:") or "inbox: ./inbox" in line:
                break
        yield yaml.safe_load("".join(lines))
    finally:
        child.terminate()
        child.wait(20)


def configure(folder: Path, config: Mapping[str, Any], **inbox: Any) -> None:
    """Write `config.yaml`: the sandbox's, with a quick settle and what else this inbox needs."""
    inboxes = [{**config["inboxes"][0], "settle": "1s", **inbox}]
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "inboxes": inboxes}))


def state_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a sandbox knows: objects, tasks, the billing book, counters."""
    with urllib.request.urlopen(f"{config['model_studio']['endpoint']}/_sandbox/state", timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def events(folder: Path) -> list[dict[str, Any]]:
    """What the daemon has logged."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
