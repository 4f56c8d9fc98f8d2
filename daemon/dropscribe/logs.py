"""Logs: one event a line, for a person on a terminal, else as JSON; set up by the CLI and nowhere else.

Whatever comes through here, from our code or a library's, is made plain and cleaned before it is rendered: secrets and
query strings are taken out, and no byte of a file name can steer a terminal or begin a line of its own.
"""

import json
import logging
import math
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath
from time import time
from typing import Any, Literal, TextIO
from urllib.parse import quote, quote_plus

import structlog
from structlog.typing import EventDict, WrappedLogger

from dropscribe.printable import visible, visible_lines

Format = Literal["auto", "console", "json"]
Renderer = Callable[[WrappedLogger, str, EventDict], str]

REDACTED = "[redacted]"
SHORTEST_SECRET = 6
"""Characters; a shorter one would be found in every second word."""
DEEPEST = 8

_FIRST_KEYS = ("timestamp", "level", "event")
_MANY_LINES = ("exception", "stack")
_OF_FEW_VALUES = ("level", "event", "inbox")
"""With the names, half of what a line would have to be searched for."""
_PRIVATE_KEY = re.compile(
    r"authorization|secret|password|api.?key$|access.?key.?id|(security|session).?token|signature|credential", re.I
)
_COVERED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^\s/?#\"<>@]+@"), f"{REDACTED}@"),
    (re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]+", re.I), rf"\1{REDACTED}"),
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{6,}", re.I), rf"\1{REDACTED}"),
    (re.compile(r"\b(OSS4-HMAC-SHA256\s+|OSS\s+)(Credential=|\w{10,}:)[^\"'\r\n]*"), rf"\1{REDACTED}"),
    # What OSS repeats in its refusals, as XML, as a dict and as parameters.
    (re.compile(r"(<(?:Signature\w*|StringToSign\w*|CanonicalRequest\w*|OSSAccessKeyId)>)[^<]*"), rf"\1{REDACTED}"),
    (
        re.compile(r"([\"'](?:Signature\w*|StringToSign\w*|CanonicalRequest\w*|OSSAccessKeyId)[\"']:\s*)([\"']).*?\2"),
        rf"\1\2{REDACTED}\2",
    ),
    (
        re.compile(
            r"\b((?:x-oss-)?(?:signature|credential|security-token)|OSSAccessKeyId)(\s*[=:]\s*)[^\s&\"'<>,;]+",
            re.I,
        ),
        rf"\1\2{REDACTED}",
    ),
)
_UNBROKEN = re.compile(r"[^\s\"<>]+")
_QUESTION = re.compile(r"(\?|%3[fF])")


# No pattern above can match without one of these: most values have none, and a busy daemon writes thousands of lines.
_SUSPECT = re.compile(
    r"\?|%3|://|authorization|bearer|oss|signature|stringtosign|canonicalrequest|credential|security-token", re.I
)


@lru_cache(maxsize=256)
def _is_private(key: str) -> bool:
    return _PRIVATE_KEY.search(key) is not None


class Redactor:
    """A structlog processor: every value made plain (text, numbers, lists, mappings) and safe to show."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._variants: set[str] = set()
        self._secrets: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Cover these values as well, from now on and also percent-encoded; those that are very short are left out."""
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                self._variants |= _variants(secret)
        longest_first = sorted(self._variants, key=len, reverse=True)
        if longest_first:
            self._secrets = re.compile("|".join(map(re.escape, longest_first)))
        self._often = lru_cache(maxsize=512)(self.line)  # anew: what was plain may hold one of these

    def __call__(self, _logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
        return {self._often(str(key)): self._value(key, value) for key, value in event_dict.items()}

    def line(self, text: str) -> str:
        """`text` on one line, without secrets, query strings and control characters."""
        return visible(self._covered(text))

    def lines(self, text: str) -> str:
        """The same of a text of several lines, such as a traceback."""
        return visible_lines(self._covered(text))

    def _covered(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(REDACTED, text)
        if not _SUSPECT.search(text):
            return text
        if "?" in text or "%3" in text:
            text = _UNBROKEN.sub(_without_query, text)
        for pattern, cover in _COVERED:
            text = pattern.sub(cover, text)
        return text

    def _value(self, key: str, value: Any) -> Any:
        if key in _OF_FEW_VALUES and isinstance(value, str):
            return self._often(value)
        if key in _MANY_LINES and isinstance(value, str):
            return self.lines(value)
        try:
            return self._plain(value, key, 0)
        except Exception:  # a log line must not be what stops the daemon, however odd the value
            return f"<{type(value).__name__} that cannot be shown>"

    def _plain(self, value: Any, key: str, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if _is_private(key):
            return REDACTED
        if isinstance(value, int | float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, key, depth) if depth < DEEPEST else "…"
        return self.line(_text(value))

    def _container(self, value: Any, key: str, depth: int) -> Any:
        if isinstance(value, Mapping):
            return {self.line(_text(k)): self._plain(v, _text(k), depth + 1) for k, v in value.items()}
        return [self._plain(item, key, depth + 1) for item in value]


def _without_query(match: re.Match[str]) -> str:
    """A URL without its query. Libraries also show path and query alone (`url: /key?Signature=...`), or encoded."""
    head, mark, query = [*_QUESTION.split(match[0], 1), "", ""][:3]
    is_query = "://" in head or "=" in query or "%3D" in query.upper()
    return f"{head}{mark}{REDACTED}" if mark and is_query else match[0]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return str(value) if isinstance(value, str | PurePath) else repr(value)


def _variants(secret: str) -> set[str]:
    """The forms in which a secret may turn up in a text."""
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in encoded}
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]} | encoded | lower


class _Lines:
    """Whole lines to a stream, from any thread. A stream that is closed, full or deaf is never the caller's fault."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()

    def msg(self, message: str) -> None:
        with self._lock:
            try:
                self._write(message + "\n")
            except (OSError, ValueError):
                return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:  # a terminal in the C locale
            self._stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        self._stream.flush()

    log = debug = info = warn = warning = error = exception = critical = fatal = msg


class _IntoStructlog(logging.Handler):
    """Records of libraries that log through the standard library, as events like any other."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # the library's own mistake: a template that its arguments do not fit
            event = f"{record.msg} (its arguments do not fit it)"
        extra = {"exc_info": record.exc_info} if record.exc_info else {}
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        structlog.get_logger().log(level, event, logger=record.name, **extra)

    def handleError(self, record: logging.LogRecord) -> None:
        """The default would write the record to stderr, past the redactor."""


def set_up(format: Format, stream: TextIO, secrets: Iterable[str] = (), now: Callable[[], float] = time) -> Redactor:
    """Configure structlog and the standard library's root logger to write to `stream`; may be called again.

    `auto` is `console` where the stream is a terminal, else `json`. The redactor that is returned can `learn` further
    secrets (those of a configuration read later); loggers that are bound already obey it too.
    """
    redactor, lines = Redactor(secrets), _Lines(stream)
    terminal = stream.isatty()
    readable = terminal if format == "auto" else format == "console"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp(now),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            redactor,
            _console(colours=terminal) if readable else _json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _take_over_standard_logging()
    return redactor


def _take_over_standard_logging() -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _IntoStructlog)]:
        root.removeHandler(handler)
    root.addHandler(_IntoStructlog(logging.WARNING))
    root.setLevel(logging.WARNING)


def take_over_hooks() -> None:
    """Errors that nobody catches, in threads and in finalisers: Python would print them past the redactor."""

    def in_thread(what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
            name = what.thread.name if what.thread is not None else None
            structlog.get_logger().critical("thread.bug", thread=name, exc_info=what.exc_value)

    def unraisable(what: "sys.UnraisableHookArgs") -> None:
        if what.exc_value is not None:
            structlog.get_logger().error("finaliser.bug", exc_info=what.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    logging.captureWarnings(True)


def _stamp(now: Callable[[], float]) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def add_timestamp(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
        moment = datetime.fromtimestamp(now(), UTC).isoformat(timespec="milliseconds")
        event_dict["timestamp"] = moment.replace("+00:00", "Z")
        return event_dict

    return add_timestamp


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # `json.dumps` would build one for each line


def _json(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> str:
    first = {key: event_dict.pop(key) for key in _FIRST_KEYS if key in event_dict}
    return _encode({**first, **event_dict})


_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}


def _console(colours: bool) -> Renderer:
    def render(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> str:
        stamp, level, event = (str(event_dict.pop(key, "")) for key in _FIRST_KEYS)
        blocks = [str(event_dict.pop(key)) for key in _MANY_LINES if key in event_dict]
        colour = _COLOURS.get(level, "") if colours else ""
        label = f"{colour}{level:<8}\x1b[0m" if colour else f"{level:<8}"
        pairs = [f"{key}={_quoted(value)}" for key, value in event_dict.items() if value is not None]
        return "\n".join([" ".join([stamp, label, event, *pairs]), *(_indented(block) for block in blocks)])

    return render


def _quoted(value: Any) -> str:
    """As it is where it is one word; backslashes stay single, they are escapes already."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if isinstance(value, str) and re.fullmatch(r"[^\s\"'=]+", text) else _in_quotes(value, text)


def _in_quotes(value: Any, text: str) -> str:
    return f'"{text}"' if isinstance(value, str) else text


def _indented(block: str) -> str:
    """A traceback below its event: no line of it can pass for an event."""
    return "\n".join(f"    {line}" for line in block.split("\n"))
