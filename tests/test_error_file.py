"""The error file: exactly the contract's facts, and never a URL."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.error_file import error_json, without_urls
from dropscribe.model import Failure


def test_the_file_holds_the_facts_of_the_contract_and_no_others() -> None:
    failure = Failure("FILE_403_FORBIDDEN", "No right to read it.", "Check the bucket.", "r-1", "t-1", 3)

    body = json.loads(error_json(failure, "meetings", b"a/caf\xe9.mp3", 1_795_168_800.75))

    assert body == {
        "code": "FILE_403_FORBIDDEN",
        "message": "No right to read it.",
        "remedy": "Check the bucket.",
        "request_id": "r-1",
        "task_id": "t-1",
        "attempts": 3,
        "failed_at": "2026-11-20T10:00:00Z",
        "inbox": "meetings",
        "source": "a/caf\\xe9.mp3",
    }


def test_what_is_not_known_is_null() -> None:
    body = json.loads(error_json(Failure("X", "m"), "meetings", b"talk.mp3", 0))

    assert body["request_id"] is None
    assert body["task_id"] is None


def test_the_file_is_readable_text_that_ends_in_a_line_end() -> None:
    content = error_json(Failure("X", "无法解码"), "会议", "讲座.mp3".encode(), 0)

    assert "无法解码" in content.decode()
    assert content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Cannot get https://b.example.com/a.mp3?Signature=s now", "Cannot get [URL] now"),
        ("下载https://b/a?Signature=s 失败", "下载[URL] 失败"),
        ("http://b/讲座.mp3?Signature=s", "[URL]"),
        ("oss://b/it's.mp3?k=s", "[URL]"),
        (r'{"url":"https:\/\/b\/a?k=s"}', '{"url":"[URL]"}'),
        ("<HTTPS://b/a?k=s>", "<[URL]>"),
        ("No URL: a//b? c", "No URL: a//b? c"),
    ],
)
def test_urls_are_taken_out_of_messages(message: str, kept: str) -> None:
    assert without_urls(message) == kept


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.binary(max_size=20))
def test_any_message_and_any_name_give_valid_json(message: str, source: bytes) -> None:
    body = json.loads(error_json(Failure("X", message + " https://b/a?Signature=secret"), "meetings", source, 0))

    assert "secret" not in body["message"]
