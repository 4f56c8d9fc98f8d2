"""Terminal recordings for the README: what the real commands print, drawn by rich.

    .venv/bin/python docs/images/make_terminal.py          # demo.svg and status.svg, beside this file

Nothing is invented: the demonstration is recorded with its times, the status is that of a daemon with a sandbox. Only
the temporary folder's path is replaced by the one that the documentation uses.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.text import Text

from dropscribe.sandbox import RunningSandbox, demo_recordings, running_sandbox

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "dropscribe"]
PATIENCE = 60.0
COLUMNS = 120
LONGEST_PAUSE = 1.5
"""Seconds that nothing happens in a moving picture, however long it was."""
SHORTEST_PAUSE = 0.06
LAST_LOOK = 8.0
DEMO_ROWS = 26
LINE = 24.4
"""The height of a line in rich's SVG; a character is half as wide."""
WIDTH, PADDING, BAR = 12.2 * COLUMNS, 14, 40


@dataclass(frozen=True)
class Line:
    """One line on the screen, and how many seconds after the one before it came."""

    text: Text
    pause: float = 0.0


def demo() -> Iterator[Line]:
    """`dropscribe demo` as it comes."""
    yield prompt("dropscribe demo")
    with tempfile.TemporaryDirectory() as place:
        command, around = [*COMMAND, "demo"], {**environment(), "TMPDIR": place}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=around) as process:
            assert process.stdout is not None
            before = time.monotonic()
            for line in process.stdout:
                now = time.monotonic()
                yield from folded(re.sub(r"\S*(/dropscribe-demo)-\w+", r"/tmp\1", line), now - before)
                before = now
    assert process.returncode == 0


def status() -> Iterator[Line]:
    """A daemon that has delivered, has met a broken file, and waits for a bill: what a person is told."""
    with tempfile.TemporaryDirectory() as name, running_sandbox() as sandbox:
        root = Path(name)
        configure(root, sandbox)
        with daemon(root):
            meetings = root / "meetings"
            eventually((meetings / "inbox").is_dir)
            speech = {recording.name: recording.read_bytes() for recording in demo_recordings()}
            drop(meetings, {"monday/standup.mp4": speech["dialogue_en.mp4"], "keynote.flac": speech["jfk_en.flac"]})
            drop(meetings, {"interview.mp3": b"BROKEN:FILE_PARSE_FAILED"})
            eventually(lambda: states(root) == ["delivered", "delivered", "failed"])
            arrears = {"status": 400, "code": "Arrearage", "message": "Access denied, your account is in arrears."}
            sandbox.inject("submit", "error", **arrears)
            drop(meetings, {"tuesday/reading.flac": speech["librivox_sense_and_sensibility_en.flac"]})
            eventually(lambda: bool(ask(root, "--json")["inboxes"][0]["alarms"]))
            drop(meetings, {"welcome.wav": speech["welcome_zh.wav"]})
            yield from asked(root)
            for path in ("outbox/monday/standup.srt", "failed/interview.mp3"):
                yield Line(Text())
                yield from asked(root, meetings / path)


def configure(root: Path, sandbox: RunningSandbox) -> None:
    settings = sandbox.settings
    content = {
        "state": str(root / "state"),
        "model_studio": {"endpoint": sandbox.url, "api_key": settings.api_key},
        "storage": {
            "bucket": settings.bucket,
            "region": settings.region,
            "endpoint": sandbox.url,
            "access_key_id": settings.access_key_id,
            "access_key_secret": settings.access_key_secret,
        },
        "limits": {"hours_per_day": 50},
        "batch": {"max_wait": "2s"},
        "inboxes": [{"inbox": str(root / "meetings/inbox"), "settle": "1s"}],
    }
    (root / "config.yaml").write_text(yaml.safe_dump(content))


@contextmanager
def daemon(root: Path) -> Iterator[None]:
    with (root / "log").open("w") as log, subprocess.Popen([*COMMAND, "run"], stderr=log, env=environment(root)) as run:
        try:
            yield
        finally:
            run.terminate()


def drop(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / "inbox" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def states(root: Path) -> list[str]:
    return sorted(file["state"] for file in ask(root, "--json")["files"])


def ask(root: Path, *words: str) -> Any:
    return json.loads(printed(root, *words))


def printed(root: Path, *words: str) -> str:
    return subprocess.check_output([*COMMAND, "status", *words], text=True, env=environment(root))


def asked(root: Path, path: Path | None = None) -> Iterator[Line]:
    """`dropscribe status [PATH]` and its answer, with the paths of docs/systemd.md."""
    words = [str(path)] if path else []
    shown = "\n".join([" ".join(["dropscribe status", *words]), printed(root, *words)])
    command, *lines = shown.replace(str(root), "/srv/dropscribe").splitlines()
    yield prompt(command)
    for line in lines:
        yield from folded(line)


def environment(root: Path | None = None) -> dict[str, str]:
    config = {"DROPSCRIBE_CONFIG": str(root / "config.yaml")} if root else {}
    return {**os.environ, "no_proxy": "*", "PYTHONUNBUFFERED": "1", **config}


def prompt(command: str) -> Line:
    return Line(Text.assemble(("$ ", "green"), (command, "bold")))


def folded(line: str, pause: float = 0.0) -> Iterator[Line]:
    """A printed line as a terminal breaks it, which knows no words."""
    text = line.rstrip("\n")
    for start in range(0, max(1, len(text)), COLUMNS):
        yield Line(Text(text[start : start + COLUMNS]), pause if start == 0 else 0.0)


def picture(lines: Sequence[Line], title: str, rows: int | None = None) -> str:
    """An SVG of all lines; or, with `rows`, of a screen of that height on which they come as they came."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor", legacy_windows=False)
    for line in lines:
        console.print(line.text, no_wrap=True, overflow="ignore", crop=False)
    style = moving(lines, rows) if rows else ""
    code_format = frame(rows or len(lines), len(lines), title, style)
    return console.export_svg(code_format=code_format, unique_id="t")


def moving(lines: Sequence[Line], rows: int) -> str:
    """Keyframes: a curtain falls line by line, and the screen scrolls once it is full."""
    pauses = [min(LONGEST_PAUSE, max(SHORTEST_PAUSE, line.pause)) for line in lines]
    total = sum(pauses) + LAST_LOOK
    at, moments = 0.0, []
    for pause in pauses:
        at += pause
        moments.append(100 * at / total)
    curtain = _keyframes("curtain", moments, [LINE * (number + 1) for number in range(len(lines))], LINE)
    scroll = _keyframes("scroll", moments, [-LINE * max(0, number + 1 - rows) for number in range(len(lines))], 0)
    uses = "".join(f".{name} {{animation: {name} {total:.1f}s step-end infinite}}" for name in ("curtain", "scroll"))
    return f"{curtain}{scroll}@media (prefers-reduced-motion: no-preference) {{{uses}}}"


def _keyframes(name: str, moments: Iterable[float], heights: Iterable[float], first: float) -> str:
    steps = [(0.0, first), *zip(moments, heights, strict=True)]
    frames = "".join(f"{moment:.2f}% {{transform: translateY({height:.1f}px)}}" for moment, height in steps)
    return f"@keyframes {name} {{{frames}}}\n"


def frame(rows: int, lines: int, title: str, style: str) -> str:
    """rich's template with fonts that are there, so that nothing is fetched, and a screen of `rows`."""
    width, height = WIDTH + 2 * PADDING, rows * LINE + BAR + PADDING
    below = lines * LINE
    braced = style.replace("{", "{{").replace("}", "}}")
    return f"""\
<svg viewBox="0 0 {width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}">
<!-- Made by docs/images/make_terminal.py -->
<style>
.t-matrix {{{{font: 20px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace}}}}
.t-title {{{{font: 18px ui-sans-serif, "Helvetica Neue", Arial, sans-serif}}}}
{braced}{{styles}}
</style>
<defs>
<clipPath id="t-screen"><rect width="{WIDTH:.0f}" height="{rows * LINE:.1f}"/></clipPath>
{{lines}}
</defs>
<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#292929"/>
<text class="t-title" x="{width / 2:.0f}" y="27" fill="#9a9a9a" text-anchor="middle">{escape(title)}</text>
<g transform="translate({PADDING}, {BAR})" clip-path="url(#t-screen)"><g class="scroll">
{{backgrounds}}
<g class="t-matrix">
{{matrix}}
</g>
<rect class="curtain" width="{WIDTH:.0f}" height="{below:.0f}" fill="#292929" transform="translate(0, {below:.0f})"/>
</g></g>
</svg>
"""


if __name__ == "__main__":
    HERE.joinpath("demo.svg").write_text(picture(list(demo()), "dropscribe demo", DEMO_ROWS), "utf-8")
    HERE.joinpath("status.svg").write_text(picture(list(status()), "dropscribe status"), "utf-8")
