"""Exchanges as text that a person reads and a test compares: what differs from run to run gets a name."""

import base64
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from dropscribe.sandbox.overheard import Exchange

FOLDER = Path(__file__).parents[1] / "conversations"
WRITE = "DROPSCRIBE_WRITE_CONVERSATIONS"
_OF_THE_LIBRARY = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "server"})
_LONGEST = 4000  # characters of a body that are shown


@dataclass(frozen=True)
class Said:
    """One exchange, and why it is shown."""

    title: str
    exchange: Exchange


@dataclass
class Names:
    """What stands for identifiers: `<task 1>`, the same one wherever the same identifier comes."""

    _given: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, kind: str, value: str) -> str:
        number = 1 + sum(1 for known, _ in self._given if known == kind)
        return self._given.setdefault((kind, value.lower()), f"<{kind} {number}>")

    def shown(self, text: str) -> str:
        """The text, without secrets and without what differs from run to run."""
        for pattern, name in _FIXED:
            text = pattern.sub(name, text)
        for pattern, kind in _NUMBERED:
            text = pattern.sub(self._named(kind), text)
        return text

    def _named(self, kind: str) -> Callable[[re.Match[str]], str]:
        return lambda found: self.of(kind, found[0])


_FIXED: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?<=Bearer )\S+"), "<key>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1"),
    (re.compile(r"(?<=Credential=)[^/,]+/\d{8}"), "<access key>/<day>"),
    (re.compile(r"(?<=x-oss-credential=)[^/&%]+(/|%2F)\d{8}"), r"<access key>\1<day>"),
    (re.compile(r"(?<=Signature=)[0-9a-zA-Z%]+"), "<signature>"),
    (re.compile(r"(?<=x-oss-signature=)[0-9a-f]+"), "<signature>"),
    (re.compile(r"(?<=OSSAccessKeyId=)[^&\"]+"), "<access key>"),
    (re.compile(r"(?<=Expires=)\d+"), "<moment>"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "<moment>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}Z?"), "<moment>"),
    (re.compile(r"(?<=\": )[12]\d{12}\b"), '"<milliseconds>"'),
    (re.compile(r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<date>"),
]
_NUMBERED: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "id"),
    (re.compile(r"(?<=dropscribe/)[0-9a-f]{12}(?=/)|(?<=dropscribe%2F)[0-9a-f]{12}(?=%2F)"), "ledger"),
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"), "object"),
    (re.compile(r"(?<=uploadId=)[0-9A-F]{32}\b|(?<=<UploadId>)[0-9A-F]{32}\b"), "upload"),
]


def text_of(call: str, head: str, said: Sequence[Said]) -> str:
    """The whole file of one call."""
    names = Names()
    parts = [f"# {call}: {head}\n"]
    parts += [
        f"\n== {one.title}\n\n{_request(one.exchange, names)}\n\n{_answer(one.exchange, names)}\n" for one in said
    ]
    return "".join(parts)


def compare(call: str, head: str, said: Sequence[Said]) -> None:
    """That the file of this call says the same; with the environment variable, write it."""
    path, text = FOLDER / f"{call}.txt", text_of(call, head, said)
    if os.environ.get(WRITE):
        path.write_text(text)
    assert path.exists(), f"there is no {path.name}: {WRITE}=1 writes it"
    assert text == path.read_text(), f"tests/conversations/{path.name} tells it otherwise; {WRITE}=1 writes it anew"


def _request(exchange: Exchange, names: Names) -> str:
    shown = [f"{exchange.method} {exchange.target}"]
    shown += [
        f"{name}: {_value(name, value)}" for name, value in sorted(exchange.headers, key=_by_name) if _matters(name)
    ]
    return _marked(">", names.shown("\n".join(shown)), _body(exchange.body, exchange.body_size or 0, names))


def _answer(exchange: Exchange, names: Names) -> str:
    if exchange.status is None:
        return "< (the connection is cut)"
    headers = sorted(exchange.answer_headers.items(), key=_by_name)
    shown = [str(exchange.status), *(f"{name}: {_value(name, value)}" for name, value in headers if _matters(name))]
    size = 0 if exchange.method == "HEAD" else -1 if exchange.answer is None else len(exchange.answer)
    return _marked("<", names.shown("\n".join(shown)), _body(exchange.answer, size, names))


def _by_name(header: tuple[str, str]) -> str:
    return header[0].lower()


def _matters(name: str) -> bool:
    return name.lower() not in _OF_THE_LIBRARY


def _value(name: str, value: str) -> str:
    """Lengths and digests of bodies that hold random names differ from run to run."""
    if name.lower() == "x-oss-err":
        return f"(in base64) {(_text(base64.b64decode(value)) or '').replace(chr(10), '')}"
    return {"content-length": "<bytes of the body>", "content-md5": "<MD5 of the body>"}.get(name.lower(), value)


def _body(body: bytes | None, size: int, names: Names) -> str:
    if size == 0:
        return ""
    text = _text(body)
    if text is None:
        return f"<{size} bytes>" if size > 0 else "<the bytes of the object>"
    return names.shown(text)


def _text(body: bytes | None) -> str | None:
    """JSON and XML, spread out; None for all else."""
    if body is None:
        return None
    if body[:1] == b"{":
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)[:_LONGEST]
    if body[:1] == b"<":
        root = ElementTree.fromstring(body)
        ElementTree.indent(root)
        return unquote(ElementTree.tostring(root, "unicode"))[:_LONGEST]
    return None


def _marked(mark: str, head: str, body: str) -> str:
    lines = [*head.splitlines(), *(["", *body.splitlines()] if body else [])]
    return "\n".join(f"{mark} {line}".rstrip() for line in lines)


def first(exchanges: Sequence[Exchange], call: str, **having: object) -> Exchange:
    """The first exchange of a call with these values; fails loudly where there is none."""
    for exchange in exchanges:
        if exchange.call == call and all(getattr(exchange, name) == value for name, value in having.items()):
            return exchange
    raise AssertionError(f"nobody said {call} {having}")


def task_told(exchange: Exchange) -> Mapping[str, Any]:
    """The task in the answer to a query; empty for anything else."""
    if exchange.call != "query" or exchange.status != 200:
        return {}
    output: Mapping[str, Any] = json.loads(exchange.answer or b"{}")["output"]
    return output
