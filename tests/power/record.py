"""One run of the real daemon, written down call by call, with what the cloud held whenever it stood still."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dropscribe.sandbox import RunningSandbox
from dropscribe.sandbox.saving import Saved
from lab import TOO_LONG, Lab, clean_environment, eventually
from power.calls import TRACED, Call, Trace
from power.disk import Disk, File, Folder

MARKED = Path(__file__).with_name("marked.py")
LOG, ERRORS = "calls.log", "errors.log"
LONGEST_TEXT = str(64 * 1024 * 1024)
QUIET_LOOKS, LOOK = 4, 0.003


@dataclass(frozen=True)
class Stop:
    """The program stood still at a boundary after the first `calls` calls."""

    boundary: str
    calls: int
    cloud: Saved


@dataclass(frozen=True)
class Recording:
    """`disk` is as it was before the run; `apply` the calls to it, in order, to come to any moment."""

    disk: Disk
    calls: Sequence[Call]
    stops: Sequence[Stop]
    code: int
    errors: str


def record(lab: Lab, roots: Sequence[Path], museum: Path, *arguments: str, passings: str = "1") -> Recording:
    """Run `dropscribe ARGUMENTS` to its end, and write down what it does in `roots`.

    `museum` keeps every file that is there before by a second name, because a file that comes back after a power cut
    has the inode that it had.
    """
    disk, trace = stocked(roots, museum, lab.state), Trace(map(os.fsencode, roots))
    ours, theirs = os.pipe()
    command = [str(MARKED), str(theirs), passings, *arguments, "--config", str(lab.config)]
    process = _traced(command, museum, theirs)
    os.close(theirs)
    with open(ours) as marks, open(museum / LOG) as written:
        lines = _Lines(written)
        stops = list(_stops(marks, lines, trace, lab.sandbox))
        code = process.wait(TOO_LONG)
        trace.read(lines.new())
    return Recording(disk, trace.calls, stops, code, (museum / ERRORS).read_text())


def record_script(script: str, roots: Sequence[Path], museum: Path, state: Path | None = None) -> Recording:
    """The same for a few lines of Python; `state` is a folder in which they write to files that are there."""
    disk, trace = stocked(roots, museum, state), Trace(map(os.fsencode, roots))
    code = _traced(["-c", script], museum).wait(TOO_LONG)
    trace.read((museum / LOG).read_text().splitlines())
    return Recording(disk, trace.calls, (), code, (museum / ERRORS).read_text())


def _traced(python: Sequence[str], museum: Path, *descriptors: int) -> "subprocess.Popen[bytes]":
    (museum / LOG).touch()
    strace = ["strace", "--seccomp-bpf", "-f", "-y", "-xx", "-s", LONGEST_TEXT, "-o", str(museum / LOG)]
    with open(museum / ERRORS, "wb") as errors:
        return subprocess.Popen(
            [*strace, "-e", f"trace={TRACED}", sys.executable, *python],
            cwd=museum,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=descriptors,
            env=clean_environment(),
        )


class _Lines:
    """What another process writes, a whole line at a time."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._begun = ""

    def new(self) -> list[str]:
        *whole, self._begun = (self._begun + self._file.read()).split("\n")
        return whole


def _stops(marks: Iterable[str], lines: _Lines, trace: Trace, sandbox: RunningSandbox) -> Iterator[Stop]:
    for mark in marks:
        _, pid, boundary = mark.split()
        stopped = 0

        def stands_still(pid: str = pid) -> bool:
            nonlocal stopped
            new = lines.new()
            trace.read(new)
            stopped += sum("stopped by SIGSTOP" in line for line in new)
            return stopped >= len(os.listdir(f"/proc/{pid}/task"))

        eventually(stands_still)
        _wait_for_quiet(sandbox)
        yield Stop(boundary, len(trace.calls), sandbox.save())
        os.kill(int(pid), signal.SIGCONT)


def _wait_for_quiet(sandbox: RunningSandbox) -> None:
    """What has left the house arrives, also when the house has no power any more."""
    before, quiet = -1, 0
    while quiet < QUIET_LOOKS:
        now = sandbox.sandbox.traffic
        quiet, before = (quiet + 1 if now == before else 0), now
        signal.sigtimedwait([], LOOK)


def stocked(roots: Sequence[Path], museum: Path, state: Path | None = None) -> Disk:
    """A disk with all that lies in `roots` now. What lies in `state` is written to in its place, so it is copied."""
    disk = Disk(*map(os.fsencode, roots))
    for number, path in enumerate(path for root in roots for path in sorted(root.rglob("*"))):
        if path.is_dir():
            disk.stock(os.fsencode(path), Folder())
            continue
        kept = None if state in path.parents else museum / str(number)
        if kept is not None:
            os.link(path, kept)
        disk.stock(os.fsencode(path), File(path.read_bytes(), origin=kept))
    return disk
