"""The whole way from inbox to outbox, shown: a sandbox, the real daemon and sample recordings in one folder.

    sandbox up -> daemon up -> recordings dropped -> watched until all is as it should be -> daemon down, sandbox down

All of it lives in this process, so that nothing can outlive it.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dropscribe.config import load
from dropscribe.sandbox import Sandbox, SandboxSettings, agreement, demo_recordings
from dropscribe.sandbox.transcripts import given_recordings
from dropscribe.service import Outcome, Service

Say = Callable[[str], None]

LOG_FILE = "daemon.log"
PATIENCE = 150.0
"""Seconds after which something is wrong, also on a slow machine; to listen takes it half a minute."""
TICK = 0.1
PLACES = {
    "dialogue_en.mp4": "dialogue_en.mp4",
    "jfk_en.flac": "jfk_en.flac",
    "welcome_zh.wav": "welcome_zh.wav",
    "librivox_sense_and_sensibility_en.flac": "books/sense_and_sensibility.flac",
}
"""Where in the inbox a recording is dropped: one in a subfolder."""
SHOWN = "dialogue_en"
TOLD = {
    "daemon.started": "daemon      runs and watches inbox/",
    "file.taken": "taken       {path}: two looks, 1 s apart, found it unchanged",
    "file.uploaded": "uploaded    {path}, under a key that does not show its name",
    "batch.submitted": "submitted   one batch of {files} files as one task; the service works on it",
    "batch.done": "answered    all {files} files of the task; the results are safe",
    "file.delivered": "delivered   {path}: its outputs stand in outbox/, the source has moved to done/",
    "daemon.stopped": "daemon      stopped",
}
"""What events of the daemon's log tell a person."""


@dataclass(frozen=True)
class Sample:
    """A recording: where in the inbox it is dropped, what it holds, and the words that are spoken in it."""

    path: str
    content: bytes
    words: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def output(self, suffix: str) -> str:
        """The path of one of its outputs within the outbox."""
        return str(PurePosixPath(self.path).with_suffix(suffix))


@dataclass(frozen=True)
class Ending:
    """How the demonstration went. `faults` are sentences; none means that everything is as it should be."""

    faults: Sequence[str]
    interrupted: bool
    seconds: float
    billed: Sequence[int]
    """Seconds of speech, one number for each recognition that was billed."""
    tasks: int
    objects: int
    heard: Mapping[str, str]
    """What the sandbox said that it heard, by the sha256 of the recording."""


def samples() -> list[Sample]:
    """The recordings that come with the package."""
    contents = {recording.name: recording.read_bytes() for recording in demo_recordings()}
    return [Sample(PLACES[name], content, _words(content)) for name, content in contents.items()]


def _words(content: bytes) -> str:
    known = given_recordings()[hashlib.sha256(content).hexdigest()]
    return "".join(sentence.text for sentence in known.sentences)


def configuration(url: str, sandbox: SandboxSettings) -> str:
    """A `config.yaml` for a sandbox at `url`: times are short, all else is as it would be."""
    return f"""\
# Written by `dropscribe demo`: a sandbox on this machine stands in for both services. Nothing is sent anywhere.
state: ./state
model_studio:
  endpoint: {url}
  api_key: {sandbox.api_key}
  poll: {{first: 500ms, longest: 1s}}
storage:
  bucket: {sandbox.bucket}
  region: {sandbox.region}
  endpoint: {url}
  access_key_id: {sandbox.access_key_id}
  access_key_secret: {sandbox.access_key_secret}
batch: {{max_wait: 2s}}
inboxes:
  - name: demo
    inbox: ./inbox
    settle: 1s
    outputs: [json, srt]
"""


async def run(folder: Path, say: Say, listens: bool) -> Ending:
    """Show the whole way in `folder`; the daemon's log must go to `LOG_FILE` there. Raises what the daemon raises.

    `listens`: the sandbox recognises what it gets, instead of telling the words that it knows.
    """
    began = time.monotonic()
    dropped, news = samples(), News(folder / LOG_FILE, _with_time(say, began))
    server = Sandbox(SandboxSettings(listens=listens))
    news.say(f"sandbox     stands in for OSS and Model Studio at {await server.start()}")
    try:
        config = folder / "config.yaml"
        config.write_text(configuration(server.url, server.settings), "utf-8")
        # An empty environment: no key or token of the person who runs this gets in.
        service = Service(load(config, {}))
        daemon = asyncio.create_task(service.run())
        try:
            faults = await _watch(folder, dropped, news, daemon, server)
        finally:
            service.stop()
            outcome = await daemon
        news.tell()
        return _ending(faults, outcome.interrupted, time.monotonic() - began, server)
    finally:
        await server.stop()


def _with_time(say: Say, began: float) -> Say:
    return lambda line: say(f"{time.monotonic() - began:5.1f} s  {line}")


async def _watch(
    folder: Path, dropped: Sequence[Sample], news: "News", daemon: "asyncio.Task[Outcome]", server: Sandbox
) -> list[str]:
    """Drop the recordings once the daemon is up; return what is amiss: nothing, or what the patience did not mend."""
    deadline = time.monotonic() + PATIENCE
    to_drop, faults = dropped, ["the daemon did not start"]
    while faults and time.monotonic() < deadline:
        await asyncio.sleep(TICK)
        news.tell()
        if daemon.done():
            return ["the daemon was stopped before the end", *faults]
        if "daemon.started" in news.heard:
            _drop(folder / "inbox", to_drop, news.say)
            to_drop, faults = (), amiss(folder, dropped, server.state(), server.said())
    return faults


def _drop(inbox: Path, dropped: Sequence[Sample], say: Say) -> None:
    for sample in dropped:
        target = inbox / sample.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sample.content)
        say(f"dropped     inbox/{sample.path} ({len(sample.content):,} bytes)")


def _ending(faults: Sequence[str], interrupted: bool, seconds: float, server: Sandbox) -> Ending:
    state = server.state()
    billed = [entry["seconds"] for entry in state["book"]]
    return Ending(faults, interrupted, seconds, billed, len(state["tasks"]), len(state["objects"]), server.said())


def heard_lines(dropped: Sequence[Sample], heard: Mapping[str, str]) -> Iterator[str]:
    """How well each recording was recognised."""
    for sample in dropped:
        text = heard.get(sample.sha256, "")
        found = agreement(sample.words, text)
        if found.same:
            yield f"heard       {sample.path}: {found.same} of the {found.spoken} words that are spoken in it"
        else:
            yield f"heard       {sample.path}: {text or 'nothing'}"


class News:
    """What the daemon's log says, told to a person as it comes."""

    def __init__(self, log: Path, say: Say) -> None:
        self._log = log
        self._read = 0
        self.say = say
        self.heard: set[str] = set()
        """Names of all events so far."""

    def tell(self) -> None:
        """Say what was logged since the last time."""
        with open(self._log, "rb") as log:
            log.seek(self._read)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]  # a line may be half written
        self._read += len(whole)
        for line in whole.splitlines():
            event = json.loads(line)
            self.heard.add(event["event"])
            if told := sentence(event):
                self.say(told)


def sentence(event: Mapping[str, Any]) -> str | None:
    """What an event of the log tells a person; None for one that is of no interest here."""
    name, level = event["event"], event.get("level")
    if name in TOLD:
        return TOLD[name].format_map(event)
    if level not in ("warning", "error", "critical") or "logger" in event:  # a library's remarks stay in the log
        return None
    told = [str(event[key]) for key in ("path", "code", "message", "remedy", "exception") if event.get(key)]
    return f"{level:<11} {': '.join([name, *told])}"


def amiss(
    folder: Path, dropped: Sequence[Sample], state: Mapping[str, Any], said: Mapping[str, str] | None = None
) -> list[str]:
    """What is not (yet) as it should be, each as a sentence. `state` is the sandbox's; `said` is what it heard of each
    content, where these are not the true words.
    """
    told = {sample.sha256: sample.words for sample in dropped} | dict(said or {})
    faults = [fault for sample in dropped for fault in _amiss_with(folder, sample, told[sample.sha256])]
    for name in ("inbox", "failed"):
        faults += [f"{name}/{left} should not be there" for left in files_below(folder / name)]
    for left in (*state["objects"], *state["uploads"]):
        faults.append(f"the bucket still holds {left['key']}")
    billed = Counter(entry["sha256"] for entry in state["book"])
    for sample in dropped:
        if billed[sample.sha256] != 1:
            faults.append(f"{sample.path} was billed {billed[sample.sha256]} times, not once")
    return faults


def _amiss_with(folder: Path, sample: Sample, words: str) -> Iterator[str]:
    for suffix, words_in in ((".json", _words_in_json), (".srt", _words_in_srt)):
        name = sample.output(suffix)
        try:
            found = words_in((folder / "outbox" / name).read_text("utf-8"))
        except FileNotFoundError:
            yield f"outbox/{name} is missing"
        else:
            if _unspaced(found) != _unspaced(words):
                yield f"outbox/{name} does not hold the words of the recording"
    source = folder / "done" / sample.path
    if not source.is_file() or source.read_bytes() != sample.content:
        yield f"done/{sample.path} is not the recording that was dropped"


def _words_in_json(content: str) -> str:
    return str(json.loads(content)["text"])


def _words_in_srt(content: str) -> str:
    cues = content.removesuffix("\n\n").split("\n\n")
    return " ".join(line for cue in cues for line in cue.split("\n")[2:])


def _unspaced(text: str) -> str:
    """Lines and cues break where the text has a space, or none."""
    return "".join(text.split())


def files_below(folder: Path) -> list[str]:
    """Paths of all files below `folder`, in order; none where it does not exist."""
    found = []
    for here, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(here, name), folder) for name in names]
    return sorted(found)


def tree(folder: Path, *names: str) -> Iterator[str]:
    """The folders `names` below `folder` and their files with their sizes, as lines."""
    for name in names:
        files = files_below(folder / name)
        yield f"{name}/" + ("" if files else "  (empty)")
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                yield f"    {file}  ({(folder / name / file).stat().st_size:,} bytes)"
