"""No query of a URL is kept with a result; everything else is, byte for byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.url_queries import MANY_SLASHES, without_url_queries
from test_transcript import A_RESULT


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (
            b'{"file_url":"https://b.example.com/a.mp3?Signature=s&Expires=1"}',
            b'{"file_url":"https://b.example.com/a.mp3"}',
        ),
        (rb'{"u":"https:\/\/b\/a.mp3?Signature\u003ds\u0026x\u003dy"}', rb'{"u":"https:\/\/b\/a.mp3"}'),
        (rb'{"u":"https://b/a.mp3\u003fSignature=s"}', b'{"u":"https://b/a.mp3"}'),
        (rb'{"u":"https://b/\u8bb2\u5ea7.mp3?Signature=s"}', rb'{"u":"https://b/\u8bb2\u5ea7.mp3"}'),
        ('{"u":"https://b/讲座.mp3?a=讲&Signature=s"}'.encode(), '{"u":"https://b/讲座.mp3"}'.encode()),
        (b'{"u":"OSS://b/a.mp3?token"}', b'{"u":"OSS://b/a.mp3"}'),
        (b'{"message":"cannot get https://b/a.mp3?Signature=s now"}', b'{"message":"cannot get https://b/a.mp3 now"}'),
        (rb'{"m":"got \"https://b/a?k=s\" and","n":1}', rb'{"m":"got \"https://b/a\" and","n":1}'),
        ('{"m":"下载https://b/a?k=s，失败"}'.encode(), '{"m":"下载https://b/a，失败"}'.encode()),
        (b'{"u":["https://b/a?x=1","https://b/c?y=2"]}', b'{"u":["https://b/a","https://b/c"]}'),
        (b'cut short: {"u":"https://b/a?Signature=se', b'cut short: {"u":"https://b/a'),
    ],
)
def test_queries_of_urls_are_removed_however_they_are_written(raw: bytes, kept: bytes) -> None:
    assert without_url_queries(raw) == kept


@pytest.mark.parametrize(
    "raw",
    [
        b'{ "b": 1.50, "a" : 1e3, "b": 100000000000000000000001 }\r\n',
        '{"text":"Have you seen https://example.com? 见 https://example.com?吗"}'.encode(),
        b'{"text":"https://example.com?"}',
        rb'{"text":"what? \u4f60 a=b & http:// c?d=e"}',
        b'{"text":"\xff\xfe"}',
    ],
)
def test_everything_else_stays_byte_for_byte_as_received(raw: bytes) -> None:
    assert without_url_queries(raw) == raw


PIECES = rb"""" \ \" https HTTP oss a+b : :/ / \/ // ? \u003F = \n x & \u00e4 { :// :\/\/ x=1""".split()
ADDRESSES = st.lists(st.sampled_from([*PIECES, b" ", b"\n", b"\xe4"]), max_size=40).map(b"".join)


@settings(deadline=None)
@given(ADDRESSES)
def test_among_many_addresses_and_among_few_the_same_queries_are_removed(raw: bytes) -> None:
    many = b"\n" + b"/ " * (MANY_SLASHES + 1)

    assert without_url_queries(raw + many) == without_url_queries(raw) + many


@settings(deadline=None)
@given(A_RESULT, st.booleans())
def test_removing_queries_never_changes_what_the_transcript_says(body: object, ascii_only: bool) -> None:
    raw = json.dumps({"body": body, "file_url": "https://b/a?Signature=s"}, ensure_ascii=ascii_only).encode(
        "utf-8", "replace"
    )

    kept = without_url_queries(raw)

    assert json.dumps({**json.loads(raw), "file_url": "https://b/a"}) == json.dumps(json.loads(kept))
