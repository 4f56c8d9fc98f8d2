"""Rules that judge every test: none refuses what the documents show, and each refuses what it is there for."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contract import judge
from contract.asked import asked
from contract.examples import (
    GOOD,
    KEY,
    LIST,
    RESULT,
    SIGNED,
    SUBMIT_BODY,
    TASK,
    with_answer,
    with_body,
    with_headers,
    with_json,
    with_parameters,
)
from contract.rules import ANSWERS, REQUESTS
from dropscribe.sandbox.overheard import Exchange

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
TESTS = Path(__file__).parents[1]


def broken_by(*exchanges: Exchange) -> set[str]:
    """Names of the rules that a talk of these exchanges breaks."""
    listening = judge.Judge()
    for exchange in exchanges:
        listening.hear(exchange)
    return {breach.rule for breach in listening.breaches}


def to(exchange: Exchange, line: str) -> Exchange:
    """The same with another method and target."""
    method, target = line.split(" ", 1)
    return replace(exchange, method=method, target=target)


def file(url: str) -> Exchange:
    return with_json(GOOD["submit"], input={"file_urls": [url]})


def shown(part: str, by: str) -> str:
    """The signed address with a part written otherwise."""
    assert part in SIGNED
    return f"GET {SIGNED.replace(part, by)}"


QUERY, STORED = GOOD["query"], GOOD["put"]
_SIGNED_FILE = SUBMIT_BODY["input"]["file_urls"][0]
BROKEN: Sequence[tuple[str, Exchange]] = [
    ("C1", to(QUERY, "GET /api/v1/models")),
    ("C1", to(GOOD["submit"], "PUT /api/v1/services/audio/asr/transcription")),
    ("C1", to(STORED, f"PATCH {KEY}")),
    ("C2", with_headers(GOOD["get"], authorization="Bearer sk-1")),
    ("C2", with_headers(GOOD["result"], authorization="Bearer sk-1")),
    ("C2", with_headers(QUERY, cookie="a=b")),
    ("C3", with_headers(STORED, transfer_encoding="chunked")),
    ("C3", with_headers(STORED, content_encoding="gzip")),
    ("C3", with_headers(STORED, content_length="4")),
    ("C4", with_headers(STORED, content_md5="AAAAAAAAAAAAAAAAAAAAAA==")),
    ("C5", with_headers(STORED, host=None)),
    ("S1", with_headers(QUERY, authorization=None)),
    ("S1", with_headers(QUERY, authorization="Basic sk-1")),
    ("S1", with_headers(QUERY, authorization="Bearer sk-1 ")),
    ("S2", with_headers(GOOD["submit"], x_dashscope_async=None)),
    ("S2", with_headers(GOOD["submit"], x_dashscope_async="true")),
    ("S2", with_headers(GOOD["submit"], content_type="text/plain")),
    ("S2", to(GOOD["submit"], "POST /api/v1/services/audio/asr/transcription?x=1")),
    ("S3", with_headers(GOOD["submit"], x_dashscope_sse="enable")),
    ("S3", with_headers(GOOD["submit"], x_dashscope_ossresourceresolve="enable")),
    ("S3", with_headers(QUERY, x_dashscope_async="enable")),
    ("S4", with_body(GOOD["submit"], b"{")),
    ("S4", with_json(GOOD["submit"], model="paraformer-v2")),
    ("S4", with_json(GOOD["submit"], parameters=None)),
    ("S4", with_json(GOOD["submit"], client_token="1")),
    ("S4", with_json(GOOD["submit"], input={"file_urls": []})),
    ("S4", with_json(GOOD["submit"], input={"file_urls": [f"https://h/{n}.mp3" for n in range(101)]})),
    ("S4", with_json(GOOD["submit"], input={"file_urls": ["https://h/a.mp3"] * 2})),
    ("S4", file("ftp://h/a.mp3")),
    ("S4", with_parameters(GOOD["submit"], speaker_count=101)),
    ("S4", with_parameters(GOOD["submit"], diarization_enabled=False)),
    ("S4", with_parameters(GOOD["submit"], channel_id=[])),
    ("S4", with_parameters(GOOD["submit"], special_word_filter={"system_reserved_filter": False})),
    ("S4", with_parameters(GOOD["submit"], vocabulary_id=None)),
    ("S5", file("https://h/a b.mp3")),
    ("S5", file("https://h/ä.mp3")),
    ("S5", file("https://h/%e4.mp3")),
    ("S5", file("https://h/a.mp3#t=1")),
    ("S5", file("https://me:secret@h/a.mp3")),
    ("S5", file("https://h/a.txt")),
    ("S6", file(_SIGNED_FILE.replace("172800", "604801"))),
    ("S6", file("https://h/a.mp3?OSSAccessKeyId=1&Expires=1&Signature=1")),
    ("S7", with_parameters(GOOD["submit"], special_word_filter='{"words": []}')),
    ("S7", with_parameters(GOOD["submit"], special_word_filter="none")),
    ("S8", to(QUERY, "GET /api/v1/tasks/t%201?x=1")),
    ("S8", to(QUERY, "GET /api/v1/tasks/t 1")),
    ("S8", with_body(GOOD["cancel"], b"{}")),
    ("S9", to(GOOD["list"], "GET /api/v1/tasks/?limit=1")),
    ("S9", to(GOOD["list"], "GET /api/v1/tasks/?page_size=101")),
    ("S9", to(GOOD["list"], "GET /api/v1/tasks/?page_no=0")),
    ("S9", to(GOOD["list"], "GET /api/v1/tasks/?status=DONE")),
    ("S9", to(GOOD["list"], "GET /api/v1/tasks/?page_no=1&page_no=2")),
    ("S10", to(GOOD["list"], "GET /api/v1/tasks/?start_time=20261120100000&end_time=20261121100001")),
    ("S10", to(GOOD["list"], "GET /api/v1/tasks/?start_time=2026-11-20")),
    ("R1", with_headers(GOOD["result"], x_dashscope_async="enable")),
    ("R1", with_headers(GOOD["result"], authorization="OSS4-HMAC-SHA256 ...")),
    ("R2", GOOD["result"]),
    ("O1", to(STORED, "PUT /Bucket/a.mp3")),
    ("O1", to(STORED, "PUT /bucket/%2Fa.mp3")),
    ("O1", to(STORED, f"PUT /bucket/{'a' * 1024}")),
    ("O1", to(STORED, "PUT /bucket/a b.mp3")),
    ("O2", with_headers(STORED, authorization="OSS LTAI:c2lnbmF0dXJl")),
    ("O2", with_headers(STORED, authorization=None)),
    ("O2", with_headers(STORED, x_oss_content_sha256=None)),
    ("O2", with_headers(STORED, x_oss_date="20261121T100000Z")),
    ("O2", with_headers(STORED, authorization=dict(STORED.headers)["Authorization"].replace("cn-", "oss-cn-"))),
    ("O2", with_headers(STORED, authorization=dict(STORED.headers)["Authorization"].replace("0f", "0F"))),
    ("O2", with_headers(GOOD["get"], authorization="OSS4-HMAC-SHA256 ...")),
    ("O3", to(GOOD["get"], shown("172800", "604801"))),
    ("O3", to(GOOD["get"], shown("x-oss-date=20261120T100000Z&", ""))),
    ("O3", to(GOOD["get"], shown("OSS4-HMAC-SHA256", "OSS2"))),
    ("O3", to(GOOD["get"], shown("x-oss-expires", "versionId=1&x-oss-expires"))),
    ("O3", to(GOOD["get"], shown("/dropscribe/", "/dropscribe%2F"))),
    ("O3", to(GOOD["get"], f"GET {KEY}?OSSAccessKeyId=1&Expires=1&Signature=1")),
    ("O3", to(GOOD["get"], shown("", "").replace("GET", "DELETE"))),
    ("O4", with_headers(GOOD["initiate"], x_oss_object_acl="private")),
    ("O4", with_headers(GOOD["part"], x_oss_object_acl="private")),
    ("O4", with_headers(GOOD["complete"], x_oss_meta_name="talk")),
    ("O5", with_headers(STORED, x_oss_object_acl="secret")),
    ("O5", with_headers(STORED, x_oss_forbid_overwrite="yes")),
    ("O6", to(STORED, f"PUT {KEY}?append=")),
    ("O6", to(GOOD["list_uploads"], "GET /bucket/?uploads=&encoding-type=base64")),
    ("O7", to(GOOD["part"], f"PUT {KEY}?partNumber=10001&uploadId=u")),
    ("O7", to(GOOD["list_uploads"], "GET /bucket/?uploads=&max-uploads=1001")),
    ("O8", to(GOOD["abort"], f"DELETE {KEY}?uploadId=")),
    ("O9", with_headers(STORED, content_length=None)),
    ("O9", with_headers(STORED, content_length=str(5 * 1024**3 + 1))),
    ("O10", with_headers(STORED, content_type=None)),
    ("O11", with_body(GOOD["delete"], b"x")),
    ("O12", with_body(GOOD["complete"], b"<CompleteMultipartUpload/>")),
    ("O12", with_body(GOOD["complete"], (GOOD["complete"].body or b"").replace(b">1<", b">0<"))),
    ("O12", with_body(GOOD["complete"], (GOOD["complete"].body or b"").replace(b'"', b""))),
    ("O13", with_headers(GOOD["delete_many"], content_md5=None)),
    ("O13", with_body(GOOD["delete_many"], b"<Delete/>")),
    ("O13", with_body(GOOD["delete_many"], b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>")),
    ("A1", replace(QUERY, answer_headers={"Content-Type": "application/json", "x-request-id": "1"})),
    ("A1", replace(STORED, answer_headers={"Date": "now"})),
    ("A2", with_answer(QUERY, TASK, Content_Type="text/html")),
    ("A3", with_answer(GOOD["submit"], {"request_id": "r1", "output": {"task_status": "PENDING"}})),
    ("A3", with_answer(QUERY, {"request_id": "r1", "output": {**TASK["output"], "task_status": "DONE"}})),
    ("A3", with_answer(QUERY, {"request_id": "r1", "output": {**TASK["output"], "end_time": "2026-11-20T10:00:00Z"}})),
    ("A3", with_answer(QUERY, {"request_id": "r1", "output": {**TASK["output"], "task_status": "RUNNING"}})),
    ("A3", with_answer(GOOD["list"], {"request_id": "r1", "output": LIST})),
    ("A3", with_answer(GOOD["result"], {"transcripts": [{"text": "Hello."}]})),
    ("A4", with_answer(GOOD["refusal"], {"error": {"code": "InvalidApiKey"}})),
    ("A4", replace(GOOD["refusal"], status=302)),
    ("A5", replace(GOOD["delete"], status=200)),
    ("A5", replace(STORED, status=307)),
    ("A6", with_answer(GOOD["storage's refusal"], b"<html/>")),
    ("A6", with_answer(GOOD["head of nothing"], b"", x_oss_err="")),
    ("A7", with_answer(STORED, b"", ETag="0A0A")),
    ("A7", with_answer(GOOD["part"], b"", x_oss_hash_crc64ecma="")),
    ("A8", with_answer(GOOD["complete"], b"<CompleteMultipartUploadResult/>")),
    ("A8", with_answer(GOOD["initiate"], b"<html/>")),
]


def test_what_the_documents_show_breaks_no_rule() -> None:
    assert broken_by(*GOOD.values()) == set()


@pytest.mark.parametrize("name", GOOD)
def test_each_call_is_known_by_its_request_alone(name: str) -> None:
    assert asked(GOOD[name]).call == GOOD[name].call


@pytest.mark.parametrize(("rule", "exchange"), BROKEN, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(BROKEN)])
def test_each_rule_refuses_what_it_is_there_for(rule: str, exchange: Exchange) -> None:
    before = [GOOD["query"]] if exchange.target == RESULT and rule != "R2" else []
    assert rule in broken_by(*before, exchange)


def test_a_rule_that_may_be_broken_is_the_only_one() -> None:
    listening = judge.Judge(allowed=["S4"])
    listening.hear(with_headers(with_json(GOOD["submit"], model="whisper"), x_dashscope_async=None))
    assert {breach.rule for breach in listening.breaches} == {"S2"}


def test_an_answer_that_a_fault_has_spoilt_is_not_held_against_the_sandbox() -> None:
    spoilt = with_answer(QUERY, b"<html/>")
    assert broken_by(spoilt) == {"A3"}
    assert broken_by(replace(spoilt, faults=("delay", "not_json"))) == set()


def test_the_page_tells_each_rule_and_each_is_broken_here() -> None:
    told = re.findall(r"^\| ([A-Z]\d+) \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted([*REQUESTS, *ANSWERS])
    assert set(told) == {rule for rule, _ in BROKEN}


def test_the_page_names_tests_that_exist() -> None:
    named = re.findall(r"`([a-z_/]+\.py)(?:::(\w+))?`", PAGE)
    missing = [
        (path, name)
        for path, name in named
        if not (TESTS / path.removeprefix("tests/")).exists()
        or (name and f"def {name}(" not in (TESTS / path.removeprefix("tests/")).read_text())
    ]
    assert missing == []
