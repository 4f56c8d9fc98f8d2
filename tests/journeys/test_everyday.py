"""The ordinary day: what goes in comes out, whole, private, at a fair price."""

import re
import stat
from itertools import pairwise
from pathlib import Path

from pytest import Subtests

from dropscribe.sandbox import running_sandbox
from dropscribe.sandbox.settings import SandboxSettings
from lab import Lab, events_in, eventually, files_below, quick_inbox, sha256


def test_250_nested_files_cost_three_submits_and_leave_an_empty_bucket(tmp_path: Path) -> None:
    with running_sandbox(SandboxSettings(pending_seconds=0.01, task_seconds=0.05)) as sandbox:  # its rates are enforced
        lab = Lab(tmp_path, sandbox, forked=True)
        lab.configure(batch={"max_wait": "10s"})
        files = {path: lab.drop(path) for path in (f"{n % 5}/{n % 7}/{n % 3}/talk {n}.mp3" for n in range(250))}

        assert lab.run_once().returncode == 0

        assert files_below(lab.done) == files
        assert files_below(lab.inbox) == {}
        stems = {path.removesuffix(".mp3") for path in files}
        assert set(lab.outputs()) == {f"{stem}.{suffix}" for stem in stems for suffix in ("json", "srt")}
        assert lab.heard() == {path.removesuffix("mp3") + "json": sha256(data) for path, data in files.items()}
        assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}
        assert lab.calls("submit") == 3
        calls = sandbox.state()["calls"]
        assert {name: call["throttled"] for name, call in calls.items() if call["throttled"]} == {}
        lab.assert_bucket_is_empty()
        lab.assert_nothing_private_is_left()


def test_one_ordinary_run_keeps_what_was_promised_of_its_outputs(lab: Lab, subtests: Subtests) -> None:
    settings = {"language_hints": ["zh"], "diarization_enabled": True}
    prefix = "our/place/"
    lab.configure({"recognition": settings}, storage={"prefix": prefix, "multipart_above": "5MB"})
    data = lab.drop("a/b/secret merger.mp3")
    lab.drop("merger film.mp4", bytes(6_000_000))
    lab.drop("silence.mp3", b"NOSPEECH")

    ran = lab.call("run", "--once", umask=0o027)
    assert ran.returncode == 0, ran.stderr

    tasks = {task["task_id"]: task for task in lab.sandbox.state()["tasks"]}
    found = lab.transcript("a/b/secret merger.json")

    with subtests.test("a transcript tells what was heard of which file and how"):
        task = tasks[found["recognition"]["task_id"]]
        assert task["parameters"] == settings
        assert found["schema"]
        assert found["source"].keys() == {"name", "size", "sha256", "duration_ms"}
        assert found["source"]["name"] == "a/b/secret merger.mp3"
        assert (found["source"]["size"], found["source"]["sha256"]) == (len(data), sha256(data))
        assert found["recognition"].keys() == {"model", "settings", "task_id"}
        assert (found["recognition"]["model"], found["recognition"]["settings"]) == ("fun-asr", settings)
        assert found["segments"]
        for segment in found["segments"]:
            assert segment.keys() == {"start_ms", "end_ms", "channel", "speaker", "language", "text", "words"}
            assert segment["text"] in found["text"]
            assert all(word.keys() == {"start_ms", "end_ms", "text", "punctuation"} for word in segment["words"])

    with subtests.test("outputs are UTF-8 without BOM, with plain newlines"):
        for text in lab.outputs().values():
            assert not text.startswith(b"\xef\xbb\xbf")
            assert b"\r" not in text
            text.decode("utf-8")

    with subtests.test("cues are numbered and follow each other"):
        cues = lab.outputs()["a/b/secret merger.srt"].decode().rstrip("\n").split("\n\n")
        times = [re.fullmatch(r"(\S+) --> (\S+)", cue.split("\n")[1]) for cue in cues]
        assert [cue.split("\n")[0] for cue in cues] == [str(n) for n in range(1, len(cues) + 1)]
        assert all(one and other and one[2] <= other[1] for one, other in pairwise(times))

    with subtests.test("audio without speech gives an empty transcript and no failure"):
        silence = lab.transcript("silence.json")
        assert (silence["text"], silence["segments"]) == ("", [])
        assert b"-->" not in lab.outputs()["silence.srt"]
        assert (lab.done / "silence.mp3").exists()
        assert files_below(lab.failed) == {}

    with subtests.test("object keys hold no file name and begin with prefix and ledger id"):
        [started] = [event for event in events_in(ran.stderr) if event["event"] == "daemon.started"]
        files = [entry["file"] for task in tasks.values() for entry in task["files"]]
        assert len(files) == 3
        for path in files:
            assert re.fullmatch(rf"/?sandbox/{prefix}{started['ledger']}/[0-9a-f]+\.(mp3|mp4)", path)

    with subtests.test("outputs get the process's umask, and the state folder is its owner's alone"):
        modes = {
            "outbox": 0o750,
            "outbox/a/b": 0o750,
            "outbox/silence.json": 0o640,
            "outbox/a/b/secret merger.srt": 0o640,
            "state": 0o700,
        }
        assert {path: oct(stat.S_IMODE((lab.root / path).stat().st_mode)) for path in modes} == {
            path: oct(mode) for path, mode in modes.items()
        }

    with subtests.test("the log goes to stderr, one JSON event a line"):
        assert len(events_in(ran.stderr)) == len(ran.stderr.splitlines())
        assert ran.stdout == ""


def test_a_daemon_takes_what_is_dropped_moved_in_or_copied_in_whole_trees_without_waiting_for_a_rescan(
    lab: Lab,
) -> None:
    lab.configure({"rescan": "1h", "watch": "events"})
    lab.drop("early.mp3")
    (lab.root / "elsewhere/deep/er").mkdir(parents=True)
    (lab.root / "elsewhere/deep/er/tree.mp3").write_bytes(b"tree")
    (lab.root / "moved.mp3").write_bytes(b"moved")
    with lab.start() as daemon:
        eventually((lab.outbox / "early.json").exists)

        lab.drop("dropped.mp3")
        lab.drop("new/folder/nested.mp3")
        (lab.root / "moved.mp3").rename(lab.inbox / "moved.mp3")
        (lab.root / "elsewhere").rename(lab.inbox / "elsewhere")

        for path in ("dropped", "new/folder/nested", "moved", "elsewhere/deep/er/tree"):
            eventually((lab.done / f"{path}.mp3").exists)
            assert (lab.outbox / f"{path}.json").exists()
        assert daemon.stop() == 0


def test_folders_lie_beside_their_inbox_unless_told_otherwise_and_outputs_are_those_asked_for(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("one"), quick_inbox("two", outbox="texts", done="heard", outputs=["srt"])])
    lab.drop("talk.mp3", inbox="one/inbox")
    lab.drop("talk.mp3", b"another", inbox="two/inbox")

    assert lab.run_once().returncode == 0

    assert set(files_below(lab.root / "one")) == {"outbox/talk.json", "outbox/talk.srt", "done/talk.mp3"}
    assert set(files_below(lab.root / "texts")) == {"talk.srt"}
    assert set(files_below(lab.root / "heard")) == {"talk.mp3"}


def test_folders_within_the_inbox_that_dropscribe_fills_are_never_scanned(lab: Lab) -> None:
    lab.configure(
        {"outbox": "inbox/texts", "done": "inbox/done", "failed": "inbox/failed"},
        state="inbox/state",
    )
    theirs = ["texts/old.mp3", "done/old.mp3", "failed/old.mp3", "state/old.mp3"]
    for path in theirs:
        lab.drop(path)
    lab.drop("talk.mp3")
    lab.drop("broken.mp3", b"BROKEN:FILE_PARSE_FAILED")

    assert lab.run_once().returncode == 2
    assert lab.run_once().returncode == 0

    assert sum(lab.billed().values()) == 1
    assert sum(len(task["files"]) for task in lab.sandbox.state()["tasks"]) == 2
    found = set(files_below(lab.inbox))
    assert {*theirs, "done/talk.mp3", "texts/talk.json", "texts/talk.srt", "failed/broken.mp3"} <= found
