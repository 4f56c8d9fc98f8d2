"""`dropscribe demo`: what it shows is true, what it finds amiss it says, and nothing outlives it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dropscribe import demo

COMMAND = [sys.executable, "-m", "dropscribe", "demo", "--no-listen"]
STEPS = ("sandbox", "daemon", "dropped", "taken", "uploaded", "submitted", "answered", "delivered")


def environment(temporary: Path) -> dict[str, str]:
    """That of a person with a proxy and a token of their own, which must not matter."""
    return {**os.environ, "TMPDIR": str(temporary), "http_proxy": "http://127.0.0.1:9", "OSS_SESSION_TOKEN": "theirs"}


@contextmanager
def started(temporary: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        COMMAND, env=environment(temporary), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    assert process.stdout is not None
    printed = ""
    while word not in printed:
        line = process.stdout.readline()
        assert line, f"it ended before it said {word}: {printed}"
        printed += line
    return printed


def is_served(printed: str) -> bool:
    """Whether anything still listens where the sandbox was."""
    match = re.search(r"http://127\.0\.0\.1:(\d+)", printed)
    assert match
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(match[1]))) == 0


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What one demonstration printed, and the folder it left."""
    temporary = tmp_path_factory.mktemp("shown")
    began = time.monotonic()
    done = subprocess.run(COMMAND, check=False, env=environment(temporary), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert time.monotonic() - began < 30
    [folder] = temporary.iterdir()  # the sandbox's own folder is gone
    return done.stdout, folder


def test_each_step_of_the_way_is_told_in_its_order(shown: tuple[str, Path]) -> None:
    printed, _ = shown
    told = re.findall(r"^ *[\d.]+ s  (\w+)", printed, re.MULTILINE)
    assert list(dict.fromkeys(told)) == list(STEPS)
    assert "one batch of 4 files" in printed


def test_the_end_shows_the_folders_a_subtitle_file_the_bill_and_the_empty_bucket(shown: tuple[str, Path]) -> None:
    printed, folder = shown
    for line in ("inbox/  (empty)", "outbox/\n    books/sense_and_sensibility.json", "done/\n    books/", str(folder)):
        assert line in printed
    assert re.search(r"^00:00:00,100 --> 00:00:0\d,\d{3}\nGood morning, Steve\.$", printed, re.MULTILINE)
    assert re.search(r"^billed +\d+ s of speech, 4 files in 1 task", printed, re.MULTILINE)
    assert printed.startswith("The sandbox does not listen (--no-listen)")
    assert re.search(r"^bucket +no objects", printed, re.MULTILINE)


def test_the_outputs_hold_the_words_that_were_spoken(shown: tuple[str, Path]) -> None:
    _, folder = shown
    transcript = json.loads((folder / "outbox" / "welcome_zh.json").read_text("utf-8"))
    assert transcript["text"] == "欢迎大家来体验达摩院推出的语音识别模型。"
    assert transcript["source"]["name"] == "welcome_zh.wav"


def test_nothing_runs_any_more_when_it_has_ended(shown: tuple[str, Path]) -> None:
    printed, _ = shown
    assert not is_served(printed)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_interrupted_it_stops_everything_and_says_where_the_folder_is(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with started(tmp_path) as process:
        printed = read_until(process, "dropped")
        process.send_signal(number)
        rest, complaint = process.communicate(timeout=15)

        assert process.returncode == code
    [folder] = tmp_path.iterdir()
    assert f"Everything is in {folder}" in rest
    assert ("the daemon was stopped before the end" in complaint) == (code == 1)
    assert not is_served(printed)


@pytest.mark.journey
def test_listening_it_shows_what_was_really_heard_and_says_what_was_not(tmp_path: Path) -> None:
    command = [*COMMAND[:-1], "--listen"]
    done = subprocess.run(command, check=False, env=environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    [folder] = tmp_path.iterdir()
    assert "[Not recognised" in (folder / "outbox" / "welcome_zh.srt").read_text("utf-8")
    heard = re.search(r"heard +dialogue_en.mp4: (\d+) of the (\d+) words", done.stdout)
    assert heard and int(heard[1]) > int(heard[2]) / 2
    words = json.loads((folder / "outbox" / "dialogue_en.json").read_text("utf-8"))["segments"][0]["words"]
    assert words[0]["end_ms"] <= words[1]["start_ms"]
    assert not is_served(done.stdout)


def test_how_well_each_recording_was_heard_is_said_with_figures_or_with_what_was_said_instead() -> None:
    talk, welcome = SAMPLES
    lines = list(demo.heard_lines(SAMPLES, {talk.sha256: "one to three", welcome.sha256: "[Not recognised]"}))
    assert lines == [
        "heard       talk.wav: 2 of the 3 words that are spoken in it",
        "heard       deep/welcome.wav: [Not recognised]",
    ]


def test_outputs_are_held_against_what_the_sandbox_said_it_heard(finished: Path) -> None:
    said = {SAMPLES[0].sha256: "one too three"}
    faults = demo.amiss(finished, SAMPLES, state(), said)
    assert [fault.split()[0] for fault in faults] == ["outbox/talk.json", "outbox/talk.srt"]


SAMPLES = [
    demo.Sample("talk.wav", b"talk", "One, two. Three."),
    demo.Sample("deep/welcome.wav", b"welcome", "欢迎大家。"),
]


def state(**changes: Any) -> dict[str, Any]:
    book = [{"sha256": sample.sha256, "seconds": 3} for sample in SAMPLES]
    return {"objects": [], "uploads": [], "tasks": [{}], "book": book, **changes}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The folder of a demonstration that went well."""
    for sample in SAMPLES:
        contents = {
            f"outbox/{sample.output('.json')}": json.dumps({"text": sample.words}),
            f"outbox/{sample.output('.srt')}": f"1\n00:00:00,000 --> 00:00:03,000\n{sample.words}\n\n",
            f"done/{sample.path}": sample.content.decode(),
        }
        for name, content in contents.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "inbox" / "deep").mkdir(parents=True)
    return tmp_path


def test_nothing_is_amiss_when_every_output_stands_and_the_bucket_is_empty(finished: Path) -> None:
    assert demo.amiss(finished, SAMPLES, state()) == []


def test_where_cues_and_lines_break_does_not_matter(finished: Path) -> None:
    broken = "1\n00:00:00,000 --> 00:00:01,000\nOne,\ntwo.\n\n2\n00:00:01,000 --> 00:00:03,000\nThree.\n\n"
    (finished / "outbox" / "talk.srt").write_text(broken)
    assert demo.amiss(finished, SAMPLES, state()) == []


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda at: (at / "outbox/talk.srt").unlink(), "outbox/talk.srt is missing"),
        (
            lambda at: (at / "outbox/talk.srt").write_text("1\n00:00:00,000 --> 00:00:03,000\nOne, two.\n\n"),
            "outbox/talk.srt does not hold the words of the recording",
        ),
        (
            lambda at: (at / "outbox/deep/welcome.json").write_text('{"text": "欢迎。"}', "utf-8"),
            "outbox/deep/welcome.json does not hold the words of the recording",
        ),
        (lambda at: (at / "done/talk.wav").unlink(), "done/talk.wav is not the recording that was dropped"),
        (lambda at: (at / "done/talk.wav").write_bytes(b"tall"), "done/talk.wav is not the recording that was dropped"),
        (lambda at: (at / "inbox/deep/left.wav").touch(), "inbox/deep/left.wav should not be there"),
    ],
)
def test_what_is_amiss_in_the_folders_is_said(finished: Path, damage: Callable[[Path], object], fault: str) -> None:
    damage(finished)
    assert demo.amiss(finished, SAMPLES, state()) == [fault]


def test_a_failed_file_is_amiss(finished: Path) -> None:
    (finished / "failed").mkdir()
    (finished / "failed" / "talk.wav.error.json").touch()
    assert demo.amiss(finished, SAMPLES, state()) == ["failed/talk.wav.error.json should not be there"]


@pytest.mark.parametrize("kind", ["objects", "uploads"])
def test_what_is_left_in_the_bucket_is_amiss(finished: Path, kind: str) -> None:
    left = state(**{kind: [{"key": "dropscribe/x/y.wav"}]})
    assert demo.amiss(finished, SAMPLES, left) == ["the bucket still holds dropscribe/x/y.wav"]


@pytest.mark.parametrize("times", [0, 2])
def test_a_recording_that_was_not_billed_exactly_once_is_amiss(finished: Path, times: int) -> None:
    other, entry = state()["book"][1], state()["book"][0]
    billed = state(book=[other, *[entry] * times])
    assert demo.amiss(finished, SAMPLES, billed) == [f"talk.wav was billed {times} times, not once"]


def test_a_line_of_the_log_is_told_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    log, told = tmp_path / "daemon.log", list[str]()
    news = demo.News(log, told.append)
    whole = json.dumps({"event": "file.taken", "level": "info", "path": "a.wav"})
    log.write_text(whole[:20])
    news.tell()
    assert told == []

    log.write_text(whole + "\n")
    news.tell()
    news.tell()
    assert told == ["taken       a.wav: two looks, 1 s apart, found it unchanged"]
    assert news.heard == {"file.taken"}


def test_trouble_is_told_with_its_remedy() -> None:
    event = {"event": "scope.opened", "level": "warning", "code": "Full", "message": "no space", "remedy": "free some"}
    assert demo.sentence(event) == "warning     scope.opened: Full: no space: free some"


@pytest.mark.parametrize(
    "event",
    [
        {"event": "config.read", "level": "info"},
        {"event": "a library's remark", "level": "error", "logger": "watchdog"},
    ],
)
def test_what_is_no_news_to_a_person_stays_in_the_log(event: dict[str, str]) -> None:
    assert demo.sentence(event) is None
