"""What a log line shows, and what it never shows: real loggers, writing to a text stream."""

import io
import json
import logging
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from dropscribe.logs import REDACTED, set_up, take_over_hooks
from dropscribe.model import Secret

NOON = 1_795_003_200.1234


@pytest.fixture(autouse=True)
def put_logging_back():
    root = logging.getLogger()
    handlers, level, configuration = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**configuration)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def json_of(secrets=(), **values) -> dict:
    """The values as one JSON event shows them."""
    stream = io.StringIO()
    set_up("json", stream, secrets)
    structlog.get_logger().info("happened", **values)
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


def console_of(**values) -> str:
    stream = io.StringIO()
    set_up("console", stream, now=lambda: NOON)
    structlog.get_logger().info("happened", **values)
    return stream.getvalue()


def raise_it(error: Exception) -> None:
    raise error


def test_json_has_time_level_and_event_first_and_one_event_a_line():
    stream = io.StringIO()
    set_up("json", stream, now=lambda: NOON)
    log = structlog.get_logger()

    log.info("file taken", path="a.mp3", size=7)
    log.warning("slow")

    first, second = stream.getvalue().splitlines()
    assert first == (
        '{"timestamp": "2026-11-18T12:00:00.123Z", "level": "info", "event": "file taken", "path": "a.mp3", "size": 7}'
    )
    assert json.loads(second)["level"] == "warning"


def test_the_console_shows_time_level_event_and_pairs_on_one_line():
    line = console_of(path="a.mp3", title="two words", sizes=[1, 2], none=None)

    assert line == ('2026-11-18T12:00:00.123Z info     happened path=a.mp3 title="two words" sizes=[1, 2]\n')


@pytest.mark.parametrize(("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_auto_is_json_unless_the_stream_is_a_terminal(stream, is_json):
    set_up("auto", stream)

    structlog.get_logger().info("happened")

    assert stream.getvalue().startswith("{") is is_json


def test_colours_are_for_terminals_only():
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        set_up("console", stream)
        structlog.get_logger().error("broke")

    assert "\x1b[31merror" in terminal.getvalue()
    assert "\x1b" not in file.getvalue()


def test_debug_is_not_shown():
    stream = io.StringIO()
    set_up("json", stream)

    structlog.get_logger().debug("detail")

    assert stream.getvalue() == ""


URLS = [
    ("https://h/p?x=1&Signature=SECRET", f"https://h/p?{REDACTED}"),
    ("https://h:9000/b/k.mp3?SECRET", f"https://h:9000/b/k.mp3?{REDACTED}"),
    ("https://h?SECRET", f"https://h?{REDACTED}"),
    (
        "see (https://h/p?SECRET), and http://g/q?SECRET now",
        f"see (https://h/p?{REDACTED} and http://g/q?{REDACTED} now",
    ),
    ("URL('https://h/p?a=SECRET')", f"URL('https://h/p?{REDACTED}"),
    ("https://h/p?a='x'&b=SECRET", f"https://h/p?{REDACTED}"),
    ('{"url":"https://h/p?SECRET","code":"Foo"}', f'{{"url":"https://h/p?{REDACTED}","code":"Foo"}}'),
    ("<Url>https://h/p?SECRET</Url>", f"<Url>https://h/p?{REDACTED}</Url>"),
    ("oss://bucket/key?SECRET", f"oss://bucket/key?{REDACTED}"),
    (
        "exceeded with url: /key.mp3?Expires=1&Signature=SECRET (Caused",
        f"exceeded with url: /key.mp3?{REDACTED} (Caused",
    ),
    ("https://user:SECRET@h/p", f"https://{REDACTED}@h/p"),
    ("https%3A%2F%2Fh%2Fp%3FSignature%3DSECRET", f"https%3A%2F%2Fh%2Fp%3F{REDACTED}"),
    ("Signature=SECRET", f"Signature={REDACTED}"),
    ("x-oss-signature: SECRET", f"x-oss-signature: {REDACTED}"),
    ("x-oss-security-token=SECRET&y=1", f"x-oss-security-token={REDACTED}&y=1"),
    ("Authorization: Bearer SECRET-abc", f"Authorization: {REDACTED}"),
    ("{'Authorization': 'Bearer SECRET-abc', 'Accept': '*/*'}", f"{{'Authorization': '{REDACTED}', 'Accept': '*/*'}}"),
    ("sent with bearer SECRET-abc.d_e=", f"sent with bearer {REDACTED}"),
    ("('Authorization', 'OSS LTAIxxxxxxxx:SECRET=')", f"('Authorization', 'OSS {REDACTED}')"),
    ("OSS4-HMAC-SHA256 Credential=LT/2026,Signature=SECRET", f"OSS4-HMAC-SHA256 {REDACTED}"),
    (
        "<StringToSign>SECRET\nSECRET</StringToSign><Code>X</Code>",
        f"<StringToSign>{REDACTED}</StringToSign><Code>X</Code>",
    ),
    ("{'SignatureProvided': 'SECRET/ab', 'Code': 'X'}", f"{{'SignatureProvided': '{REDACTED}', 'Code': 'X'}}"),
]


@pytest.mark.parametrize(("text", "shown"), URLS)
def test_query_strings_keys_and_signatures_are_taken_out_of_any_text(text, shown):
    assert json_of(note=text)["note"] == shown.replace("\n", "\\n")


@pytest.mark.parametrize(
    "text",
    [
        "https://h/path/file.mp3",
        "what is this? nobody knows",
        "/inbox/Why?.mp3",
        "a signature that does not match",
        "the bearer token is missing",
        "authorization failed for bucket b",
        "x-oss-request-id: 5C3D9175B6FC201293AD4890",
        "key dropscribe/1/ab.mp3",
    ],
)
def test_what_is_no_secret_is_left_alone(text):
    assert json_of(note=text)["note"] == text


def test_events_and_keys_are_cleaned_like_values():
    stream = io.StringIO()
    set_up("json", stream, ["sk-SECRET"])

    structlog.get_logger().info("got https://h/p?SECRET for sk-SECRET", **{"sk-SECRET": 1})

    assert "SECRET" not in stream.getvalue()


@pytest.mark.parametrize(
    "key", ["authorization", "Authorization", "api_key", "access_key_secret", "session_token", "password"]
)
@pytest.mark.parametrize("value", ["plain", ["plain"], {"a": "plain"}, 12345])
def test_the_value_of_a_private_key_is_not_shown(key, value):
    assert json_of(headers={key: value})["headers"] == {key: REDACTED}


@pytest.mark.parametrize(
    "secret", ["sk-a1b2c3d4", "a/b+c=d&e", 'quo"te\\x', "sëcret-word", "%7Ealready%2f", "with space"]
)
@pytest.mark.parametrize(
    "form", [str, quote, lambda s: quote(s, safe=""), lambda s: quote(s, safe="").lower(), repr, json.dumps]
)
def test_a_secret_is_taken_out_wherever_it_appears_also_encoded(secret, form):
    if form(secret) == quote(secret, safe="").lower() != secret:
        secret = secret.lower()  # lower case is about the hex digits, not about the secret

    shown = json_of([secret], note={"deep": [form(secret), Path("x") / form(secret), form(secret).encode()]})["note"]

    assert all(REDACTED in item for item in shown["deep"])
    assert secret not in json.dumps(shown, ensure_ascii=False)


def test_a_short_secret_is_not_looked_for():
    assert json_of(["inbox", ""], note="the inbox")["note"] == "the inbox"


def test_the_longer_of_two_secrets_is_taken_out_whole():
    assert json_of(["abcdef", "abcdefghij"], note="abcdefghij")["note"] == REDACTED


def test_secrets_learned_later_are_taken_out_of_loggers_bound_before():
    stream = io.StringIO()
    redactor = set_up("json", stream)
    log = structlog.get_logger().bind(inbox="talks")

    redactor.learn(["sk-learned-later"])
    log.info("sk-learned-later")

    assert "learned" not in stream.getvalue()
    assert json.loads(stream.getvalue())["inbox"] == "talks"


def test_an_exception_is_rendered_with_its_chain_and_without_its_secrets():
    stream = io.StringIO()
    set_up("json", stream, ["sk-SECRET"])

    try:
        try:
            raise_it(OSError("GET https://h/p?SECRET failed"))
        except OSError as error:
            raise ValueError("key sk-SECRET is\x1b[31m bad") from error
    except ValueError:
        structlog.get_logger().exception("broke")

    shown = json.loads(stream.getvalue())["exception"]
    assert "SECRET" not in shown
    assert f"OSError: GET https://h/p?{REDACTED} failed\n" in shown
    assert f"ValueError: key {REDACTED} is\\x1b[31m bad" in shown
    assert "raise_it" in shown


def test_on_the_console_no_line_of_a_traceback_can_pass_for_an_event():
    stream = io.StringIO()
    set_up("console", stream)

    try:
        raise_it(ValueError("x\n2026-11-18T12:00:00.000Z info     forged"))
    except ValueError:
        structlog.get_logger().exception("broke")

    first, *others = stream.getvalue().splitlines()
    assert "broke" in first
    assert others
    assert all(line.startswith("    ") for line in others)


def test_an_exception_as_a_value_is_its_type_and_sentence():
    assert json_of(error=OSError("at https://h/p?SECRET"))["error"] == f"OSError: at https://h/p?{REDACTED}"


HOSTILE = [
    ("a\x1b[2Jb", "a\\x1b[2Jb"),
    ("a\nlevel=error", "a\\nlevel=error"),
    ("a\r\tb\x00\x7f\x9b", "a\\r\\tb\\x00\\x7f\\x9b"),
    ("caf\udce9.mp3", "caf\\xe9.mp3"),
    ("\ud800", "\\ud800"),
    ("gnp\u202e3pm.exe", "gnp\\u202e3pm.exe"),
    ("a\u2028b", "a\\u2028b"),
    ("会议 🎤.mp3", "会议 🎤.mp3"),
]


@pytest.mark.parametrize(("name", "shown"), HOSTILE)
def test_no_file_name_can_steer_a_terminal_or_begin_a_line(name, shown):
    assert json_of(path=name)["path"] == shown
    assert json_of(paths=[Path("in") / name.replace("\0", "")])["paths"] == [f"in/{shown.replace(chr(92) + 'x00', '')}"]
    assert console_of(path=name).rstrip("\n").count("\n") == 0
    assert shown in console_of(path=name)


def test_names_in_bytes_are_shown_with_escapes_for_what_is_not_utf8():
    assert json_of(path=b"caf\xe9 \xe4\xbc\x9a")["path"] == "caf\\xe9 会"


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "nan"),
        (Secret("sk-1234567"), "***"),
        (Unshowable(), "<Unshowable that cannot be shown>"),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        (True, True),
        (1.5, 1.5),
    ],
)
def test_any_value_becomes_what_json_can_carry(value, shown):
    assert json_of(value=value)["value"] == shown


def test_a_value_that_holds_itself_is_no_crash():
    loop: list = []
    loop.append(loop)

    assert "…" in json.dumps(json_of(value=loop), ensure_ascii=False)


def test_libraries_warnings_go_the_same_way_and_their_chatter_does_not():
    stream = io.StringIO()
    set_up("json", stream, ["sk-SECRET"])
    library = logging.getLogger("some.library")

    library.info("chatter")
    library.warning("retry %s with %s", "https://h/p?SECRET", "sk-SECRET")

    event = json.loads(stream.getvalue())
    assert (event["level"], event["logger"]) == ("warning", "some.library")
    assert event["event"] == f"retry https://h/p?{REDACTED} with {REDACTED}"
    assert event["timestamp"].endswith("Z")


def test_a_librarys_exception_is_rendered_and_cleaned():
    stream = io.StringIO()
    set_up("json", stream)

    try:
        raise_it(OSError("https://h/p?SECRET"))
    except OSError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    event = json.loads(stream.getvalue())
    assert event["level"] == "error"
    assert f"https://h/p?{REDACTED}" in event["exception"]


@pytest.mark.parametrize("level", [logging.WARNING, 35, logging.CRITICAL, 99])
def test_a_record_of_any_level_from_warning_on_is_shown(level):
    stream = io.StringIO()
    set_up("json", stream)

    logging.getLogger("some.library").log(level, "x")

    assert json.loads(stream.getvalue())["event"] == "x"


def test_a_librarys_broken_record_is_shown_and_goes_nowhere_else(capsys):
    logging.getLogger().handlers.clear()  # pytest's own raise what they cannot format
    stream = io.StringIO()
    set_up("json", stream)

    logging.getLogger("some.library").warning("%d files", "https://h/p?SECRET")

    assert json.loads(stream.getvalue())["event"].startswith("%d files")
    assert "SECRET" not in stream.getvalue() + capsys.readouterr().err


def test_setting_up_again_moves_all_output_to_the_new_stream():
    first, second = io.StringIO(), io.StringIO()
    set_up("json", first)
    set_up("json", second)

    structlog.get_logger().info("ours")
    logging.getLogger("some.library").warning("theirs")

    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 2


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    set_up("json", stream)
    stream.close()
    return stream


def test_a_stream_that_is_full_or_closed_is_not_the_callers_fault():
    set_up("json", Full())
    structlog.get_logger().error("lost")

    closed()
    structlog.get_logger().error("lost")


def test_a_stream_that_knows_only_ascii_gets_escapes():
    raw = io.BytesIO()
    set_up("console", io.TextIOWrapper(raw, encoding="ascii"))

    structlog.get_logger().info("happened", path="会.mp3")

    assert b"path=\\u4f1a.mp3" in raw.getvalue()


def test_lines_of_many_threads_stay_whole():
    stream = io.StringIO()
    set_up("json", stream)
    log = structlog.get_logger()
    threads = [threading.Thread(target=lambda: [log.info("x" * 100) for _ in range(20)]) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["x" * 100] * 80


def test_context_bound_for_a_task_is_part_of_every_event():
    stream = io.StringIO()
    set_up("json", stream)

    with structlog.contextvars.bound_contextvars(batch="b1"):
        structlog.get_logger().info("sent")

    assert json.loads(stream.getvalue())["batch"] == "b1"


def test_standard_error_itself_can_be_the_stream(capsys):
    set_up("auto", sys.stderr)

    structlog.get_logger().info("happened")

    assert json.loads(capsys.readouterr().err)["event"] == "happened"


class Odd:
    def __del__(self) -> None:
        raise ValueError("key sk-SECRET in a finaliser")


def test_what_nobody_catches_in_a_thread_or_a_finaliser_is_logged_without_secrets(monkeypatch, capsys):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    stream = io.StringIO()
    set_up("json", stream, ["sk-SECRET"])
    take_over_hooks()
    try:
        thread = threading.Thread(target=raise_it, args=(ValueError("key sk-SECRET in a thread"),), name="worker")
        thread.start()
        thread.join()
        Odd()
    finally:
        logging.captureWarnings(False)

    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(event["event"], event.get("thread")) for event in events] == [
        ("thread.bug", "worker"),
        ("finaliser.bug", None),
    ]
    assert all(REDACTED in event["exception"] for event in events)
    assert "sk-SECRET" not in stream.getvalue() + capsys.readouterr().err
