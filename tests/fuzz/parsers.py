"""Everything that reads what others write: what it is given here, and how it may end."""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from dropscribe.cli import main
from dropscribe.config import load
from dropscribe.config.reading import Wrong
from dropscribe.config.settings import StorageSettings
from dropscribe.config.units import seconds, size
from dropscribe.config.yaml_lines import Unreadable as UnreadableYaml
from dropscribe.config.yaml_lines import parse as parse_yaml
from dropscribe.durations import Durations
from dropscribe.error_codes import classify_request, classify_subtask
from dropscribe.error_codes import without_urls as shortened
from dropscribe.error_file import without_urls
from dropscribe.errors import Misconfigured, OutOfOrder, Refused, TryLater
from dropscribe.ledger.rows import Item
from dropscribe.logs import Redactor
from dropscribe.model import Document, Secret
from dropscribe.mounts import deepest_mount
from dropscribe.names import display
from dropscribe.planning import is_own_error_file
from dropscribe.remote import answers
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import NoSuchUpload, Unreachable
from dropscribe.remote.signed_get import signed_get
from dropscribe.render import FORMATS, Presentation, TextLost, render_all
from dropscribe.render.formats.json import read_document, read_identity, read_names
from dropscribe.sd_notify import Notifier
from dropscribe.transcript import UnusableResult, parse, speech_seconds
from dropscribe.url_queries import without_url_queries
from dropscribe.verdicts import judge
from examples import owed_media
from fuzz.inputs import BYTES, NUMBERS, TEXTS, VALUES, damaged, json_of, near
from remote.servers import storage

Errors = tuple[type[BaseException], ...]


@dataclass(frozen=True)
class Parser:
    """`read` gives a value for each of `inputs`, or raises one of `errors`. `found` once broke it, by name."""

    read: Callable[[Any], object]
    inputs: st.SearchStrategy[Any]
    errors: Errors = ()
    found: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1.0
    """Of the number of examples: what starts a process, or writes a file, gets fewer."""


TASK = {
    "request_id": "r",
    "output": {
        "task_id": "t",
        "task_status": "SUCCEEDED",
        "code": "InvalidFile",
        "message": "cannot read https://b/k?x-oss-signature=s",
        "results": [
            {
                "file_url": "https://b/prefix/abc/k.mp3?a=b",
                "transcription_url": "https://r/x",
                "subtask_status": "FAILED",
                "code": "FILE_403",
                "message": "m",
            }
        ],
        "task_metrics": {"TOTAL": 1},
    },
    "usage": {"duration": 5},
}
PAGE = {
    "total": 1,
    "total_page": 1,
    "page_size": 10,
    "data": [{"task_id": "t", "status": "SUCCEEDED", "model_name": "fun-asr", "gmt_create": 1_795_000_000_000}],
}
RESULT = {
    "properties": {"original_duration_in_milliseconds": 4000},
    "transcripts": [
        {
            "channel_id": 0,
            "content_duration_in_milliseconds": 3000,
            "text": "One two. 三四。",
            "sentences": [
                {
                    "begin_time": 0,
                    "end_time": 1500,
                    "text": "One two. 三四。",
                    "speaker_id": 1,
                    "language": "en",
                    "words": [{"begin_time": 0, "end_time": 700, "text": "One", "punctuation": "."}],
                }
            ],
        }
    ],
}
OURS = {
    "schema": "dropscribe.transcript/1",
    "source": {"name": "talk.mp3", "size": 7, "sha256": "0" * 64, "duration_ms": 4000},
    "recognition": {"model": "fun-asr", "settings": {}, "task_id": "t"},
    "text": "One.",
    "segments": [
        {
            "start_ms": 0,
            "end_ms": 900,
            "channel": 0,
            "speaker": 1,
            "language": "en",
            "text": "One.",
            "words": [{"start_ms": 0, "end_ms": 700, "text": "One", "punctuation": "."}],
        }
    ],
}
CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.example.yaml").read_text("utf-8"))
ITEMS = [Item(1, "prefix/abc/k.mp3", 1, {}, 0), Item(2, "prefix/def/l.mp3", 1, {}, 0)]
RECORDINGS = Path(__file__).parents[2] / "daemon/dropscribe/sandbox/recordings"
MEDIA = owed_media(state="failing")


def read_task(data: bytes) -> object:
    report = answers.read_task(answers.read_object(data), "t")
    return judge(ITEMS, report, 5)


def read_page(data: bytes) -> object:
    page = answers.read_page(answers.read_object(data))
    return answers.is_end([page, page]), answers.is_whole([page, page])


def read_submit(data: bytes) -> object:
    said = answers.read_refusal(data, None)
    fault = classify_request(400, said.code, said.message, "submit", "fun-asr", request_id=said.request_id)
    return fault, answers.read_accepted(answers.read_object(data))


def read_result(data: bytes) -> object:
    kept = without_url_queries(data)
    document = Document("talk.mp3", 7, "0" * 64, "fun-asr", {}, "t", parse(kept), kept)
    return speech_seconds(kept), render_all(document, list(FORMATS), Presentation())


def read_transcript(data: bytes) -> object:
    document = read_document(data)
    rendered = document and render_all(document, [name for name in FORMATS if name != "raw"], Presentation())
    return read_identity(data), read_names(data), rendered


def read_yaml(text: str) -> object:
    return parse_yaml(text)


class Files:
    """A folder for what has to lie on a disk, and what is kept running between two examples; all made when needed."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._status, self._body = 200, b""

    def close(self) -> None:
        self._stack.close()

    @cached_property
    def root(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dropscribe-fuzz-")))

    @cached_property
    def durations(self) -> Durations:
        opened = Durations()
        self._stack.callback(opened.close)
        return opened

    @cached_property
    def url(self) -> str:
        """A storage that says what it is told to."""
        answers_of = {"x-oss-request-id": "r1"}
        return self._stack.enter_context(storage(lambda _: (self._status, answers_of, self._body))).url

    @cached_property
    def store(self) -> OssStore:
        return OssStore(_storage(self.url), sleep=lambda _: None, timeouts=(10.0, 10.0))

    def configuration(self, content: bytes) -> object:
        path = self.root / "config.yaml"
        path.write_bytes(content)
        environ = {"DASHSCOPE_API_KEY": "k", "OSS_ACCESS_KEY_ID": "i", "OSS_ACCESS_KEY_SECRET": "s"}
        return load(path, environ, filesystem_of=lambda _: "ext4")

    def error_file(self, content: bytes) -> object:
        (self.root / "talk.error.json").write_bytes(content)
        folder = os.open(self.root, os.O_RDONLY)
        try:
            return is_own_error_file(MEDIA, b"talk.error.json", folder)
        finally:
            os.close(folder)

    def list_of_parts(self, content: bytes) -> object:
        self._status, self._body = 200, content
        return self.store.list_parts("k", "u1")

    def refusal_of_storage(self, content: bytes) -> object:
        self._status, self._body = 403, content
        return self.store.put_part("k", "u1", 1, io.BytesIO(b"x"), 1)

    def refusal_of_signed_url(self, content: bytes) -> object:
        self._status, self._body = 403, content
        return signed_get(f"{self.url}/k?x-oss-signature=s", 10.0)

    def recording(self, content: bytes) -> object:
        (self.root / "talk.mp3").write_bytes(content)
        return self.durations.of(self.root, b"talk.mp3")

    def command(self, words: list[str]) -> object:
        """A traceback, or an exit code that is none of those that are told, is a bug."""
        config = self.root / "good.yaml"
        if not config.exists():
            config.write_text(yaml.safe_dump(CONFIG | {"inboxes": [{"inbox": str(self.root / "talks/inbox")}]}))
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([words[0], "--config", str(config), *words[1:]])
            except SystemExit as ended:
                assert ended.code in (0, 1, 64, 78), ended.code
        assert "this is a bug" not in err.getvalue(), err.getvalue()
        return None


def _storage(url: str) -> StorageSettings:
    return StorageSettings(
        provider="oss", bucket="my-bucket", region="cn-beijing", endpoint=url, public_endpoint=url, cname=False,
        access_key_id="id", access_key_secret=Secret("secret"), session_token=None, ram_role=None, prefix="p/",
        url_lifetime=3600.0, uploads=4, multipart_above=10**8,
    )  # fmt: skip


PARTS = (
    b"<ListPartsResult><IsTruncated>false</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker><Part>"
    b"<PartNumber>1</PartNumber><Size>5</Size><ETag>e</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    b"</Part></ListPartsResult>"
)
REFUSAL = b"<Error><Code>AccessDenied</Code><Message>No.</Message><RequestId>r</RequestId><EC>0003</EC></Error>"
COMMANDS = ("status", "plan", "retry", "render", "forget", "check")
OPTIONS = ("--json", "--all", "--code", "--format", "--profile", "--speakers", "--inbox", "--", "-", "--help", "--out")
WORDS = st.sampled_from(OPTIONS) | TEXTS.map(lambda text: text.replace("\0", "").encode("utf-8", "replace").decode())
ARGUMENTS = st.builds(lambda command, more: [command, *more], st.sampled_from(COMMANDS), st.lists(WORDS, max_size=4))
ENVIRON = st.fixed_dictionaries({}, optional=dict.fromkeys(("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"), TEXTS))
ANSWERS: Errors = (answers.Unreadable,)
STORAGE: Errors = (OutOfOrder, Refused, NoSuchUpload, TryLater)


def near_xml(right: bytes) -> st.SearchStrategy[bytes]:
    return st.builds(damaged, st.just([right]), st.integers(0, 2**32), st.integers(0, 8)) | BYTES


def recordings() -> st.SearchStrategy[bytes]:
    originals = sorted(path.read_bytes()[:200_000] for path in RECORDINGS.iterdir() if path.suffix != ".md")
    return st.builds(damaged, st.just(originals), st.integers(0, 2**32), st.integers(0, 12))


def parsers(files: Files) -> dict[str, Parser]:
    """By name."""
    redact, text = Redactor(["sk-secret"]), TEXTS | st.text(max_size=200)
    yaml_text = near(CONFIG).map(lambda value: yaml.safe_dump(value, allow_unicode=True)) | text
    return {
        "configuration": Parser(
            lambda said: files.configuration(said.encode("utf-8", "replace")), yaml_text, (Misconfigured,), share=0.5
        ),
        "yaml": Parser(
            read_yaml,
            st.text("&*a!b:- \n{}[],'\"|>#%@`?~<0x.eE_\\u\t", max_size=60) | yaml_text,
            (UnreadableYaml,),
            {
                "aliases that unfold": "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(60)),
                "depth": "[" * 5000,
                "flow depth": "{a: " * 2000,
                "an escape beyond Unicode": '"\\UFFFFFFFF"',
                "a version beyond numbers": "%YAML " + "9" * 5000 + ".1\n---\na",
            },
        ),
        "duration": Parser(seconds, text | NUMBERS.map(str), (Wrong,), {"long": "9" * 5000 + "s"}),
        "size": Parser(size, text | NUMBERS.map(str), (Wrong,)),
        "answer to a query": Parser(read_task, json_of(TASK), ANSWERS),
        "page of the task list": Parser(read_page, json_of(PAGE), ANSWERS),
        "answer to a submit": Parser(read_submit, json_of(TASK | {"code": "Throttling", "message": "m"}), ANSWERS),
        "retry-after": Parser(lambda said: answers.retry_after(said, 1.8e9), text | NUMBERS.map(str)),
        "date": Parser(
            answers.server_date, text, found={"year": "Mon, 01 Jan 99999 00:00:00 GMT", "zone": "1 Jan 26 0:0 +9999"}
        ),
        "result": Parser(read_result, json_of(RESULT), (UnusableResult,), share=0.5),
        "transcript of ours": Parser(
            read_transcript,
            json_of(OURS),
            (TextLost,),
            found={
                "a segment without a speaker": b'{"schema": "dropscribe.transcript/1", "segments": [{}]}',
                "segments that are a word": b'{"schema": "dropscribe.transcript/1", "segments": "12"}',
                "no channel": json.dumps(OURS).replace('"channel": 0', '"channel": {}').encode(),
                "no language": json.dumps(OURS).replace('"en"', "[1]").encode(),
                "no name": json.dumps(OURS).replace('"talk.mp3"', "7").encode(),
                "a time beyond numbers": json.dumps(OURS).replace("700", "1e999").encode(),
            },
            share=0.5,
        ),
        "queries of a result": Parser(
            without_url_queries,
            st.binary(max_size=200),
            found={
                "addresses in a row": b"http://" * 20_000,
                "escaped addresses": b"https:\\/\\/" * 12_000,
                "escaped letters": b"http://a\\u002f" * 9_000,
            },
        ),
        "message of the service": Parser(
            shortened, text, found={"question marks": "?" * 60_000, "names": "a_" * 30_000, "schemes": "a+" * 30_000}
        ),
        "message in an error file": Parser(without_urls, text, found={"schemes": "ab:" * 20_000}),
        "code of a file": Parser(lambda pair: classify_subtask(*pair), st.tuples(text, text)),
        "log line": Parser(redact.line, text, found={"credentials": "Credential=" * 6000, "users": "://a@" * 12_000}),
        "any value in a log": Parser(lambda value: redact(None, "info", {"event": value, "x": value}), VALUES),
        "name": Parser(display, st.binary(max_size=60)),
        "mountinfo": Parser(lambda data: deepest_mount(data, b"/srv/talks"), st.binary(max_size=120)),
        "systemd's variables": Parser(
            lambda environ: Notifier.from_environment(dict(environ), 7),
            ENVIRON,
            found={
                "more digits than a number has": {"WATCHDOG_USEC": "9" * 5000},
                "endless": {"WATCHDOG_USEC": "9" * 400},
            },
        ),
        "error file": Parser(
            files.error_file,
            json_of({"inbox": "talks", "source": "talk.mp3"}),
            found={"nested beyond reason": b"[" * 200_000, "bytes": b"\xff" * 100},
            share=0.3,
        ),
        "list of the storage": Parser(files.list_of_parts, near_xml(PARTS), STORAGE, share=0.2),
        "refusal of the storage": Parser(files.refusal_of_storage, near_xml(REFUSAL), STORAGE, share=0.2),
        "refusal of a signed URL": Parser(
            files.refusal_of_signed_url, near_xml(REFUSAL), (OutOfOrder, Unreachable), share=0.2
        ),
        "recording": Parser(files.recording, recordings(), share=0.2),
        "command line": Parser(files.command, ARGUMENTS, share=0.2),
    }
