"""Exchanges as the documents show them, written by hand: what every rule lets pass, and what each is broken with."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dropscribe.sandbox.overheard import Exchange

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"
_SCOPE = "LTAI/20261120/cn-beijing/oss/aliyun_v4_request"
_SIGNED_HEADERS = {
    "Authorization": f"OSS4-HMAC-SHA256 Credential={_SCOPE},Signature={'0f' * 32}",
    "x-oss-date": "20261120T100000Z",
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
}
_SIGNED_QUERY = (
    "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20261120T100000Z&x-oss-expires=172800"
    f"&x-oss-credential={_SCOPE.replace('/', '%2F')}&x-oss-signature={'0f' * 32}"
)
KEY = "/bucket/dropscribe/0123/a.mp3"
SIGNED = f"{KEY}?{_SIGNED_QUERY}"
_BEARER = {"Authorization": "Bearer sk-1"}
_OF_STUDIO = {"Date": DATE, "x-request-id": "r1", "Content-Type": "application/json"}
_OF_STORAGE = {"Date": DATE, "x-oss-request-id": "r1", "Content-Type": "application/xml"}
_MARKS = {"ETag": f'"{"0A" * 16}"', "x-oss-hash-crc64ecma": "42"}
_TIMES = {"submit_time": "2026-11-20 10:00:00.041", "scheduled_time": "2026-11-20 10:00:00.071"}
RESULT = "/results/prod/t1-1.json?Expires=1&OSSAccessKeyId=k&Signature=s"

SUBMIT_BODY: Mapping[str, Any] = {
    "model": "fun-asr",
    "input": {"file_urls": [f"https://bucket.example.com/a.mp3?{_SIGNED_QUERY}"]},
    "parameters": {
        "channel_id": [0],
        "diarization_enabled": True,
        "speaker_count": 3,
        "special_word_filter": '{"system_reserved_filter": false}',
    },
}
TASK: Mapping[str, Any] = {
    "request_id": "r1",
    "output": {
        "task_id": "t1",
        "task_status": "SUCCEEDED",
        **_TIMES,
        "end_time": "2026-11-20 10:00:20.903",
        "results": [
            {
                "file_url": "https://bucket.example.com/a.mp3",
                "subtask_status": "SUCCEEDED",
                "transcription_url": f"http://results.example.com{RESULT}",
            },
            {
                "file_url": "https://bucket.example.com/b.mp3",
                "subtask_status": "FAILED",
                "message": "FILE_404_NOT_FOUND",
            },
        ],
        "task_metrics": {"TOTAL": 2, "SUCCEEDED": 1, "FAILED": 1},
    },
    "usage": {"duration": 9},
}
_ROW = {
    "task_id": "t1",
    "request_id": "r1",
    "status": "RUNNING",
    "model_name": "fun-asr",
    "region": "cn-beijing",
    "gmt_create": 1795140000109,
}
LIST = {"request_id": "r1", "total": 1, "total_page": 1, "page_no": 1, "page_size": 10, "data": [_ROW]}
DOCUMENT = {
    "transcripts": [
        {"channel_id": 0, "text": "Hello.", "sentences": [{"begin_time": 0, "end_time": 9, "text": "Hello."}]}
    ]
}
REFUSAL = {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r1"}
_ERROR = b"<Error><Code>NoSuchKey</Code><Message>-</Message><RequestId>r1</RequestId><HostId>h</HostId></Error>"
DELETE = b"<Delete><Quiet>false</Quiet><Object><Key>a</Key></Object></Delete>"
COMPLETE = (
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
    b'<ETag>"0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A"</ETag></Part></CompleteMultipartUpload>'
)


def _said(
    call: str,
    line: str,
    headers: Mapping[str, str],
    body: bytes,
    status: int,
    answer_headers: Mapping[str, str],
    answer: Any,
) -> Exchange:
    method, target = line.split(" ")
    sent = {"Host": "127.0.0.1", **headers, **({"Content-Length": str(len(body))} if body else {})}
    told = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    md5 = hashlib.md5(body).digest()
    return Exchange(
        call, method, target, tuple(sent.items()), body, len(body), md5, status, answer_headers, told, (), 1795140000.0
    )


def studio(call: str, line: str, answer: Any, body: Any = None, status: int = 200, **headers: str) -> Exchange:
    """`headers` with `_` for `-`."""
    sent = {**_BEARER, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return _said(call, line, sent, b"" if body is None else json.dumps(body).encode(), status, _OF_STUDIO, answer)


def storage(
    call: str,
    line: str,
    answer: bytes = b"",
    body: bytes = b"",
    status: int = 200,
    marked: bool = False,
    **headers: str,
) -> Exchange:
    sent = {**_SIGNED_HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return _said(call, line, sent, body, status, _OF_STORAGE | (_MARKS if marked else {}), answer)


def unsigned(call: str, line: str, answer: Any, marked: bool = False) -> Exchange:
    return _said(call, line, {}, b"", 200, _OF_STORAGE | (_MARKS if marked else {}), answer)


def with_headers(exchange: Exchange, **headers: str | None) -> Exchange:
    """The same request with headers replaced, or taken away (None)."""
    changed = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    kept = tuple((name, value) for name, value in exchange.headers if name.lower() not in changed)
    return replace(exchange, headers=(*kept, *((name, value) for name, value in changed.items() if value is not None)))


def with_body(exchange: Exchange, body: bytes) -> Exchange:
    """The same request with another body, of which its headers speak truly."""
    md5 = hashlib.md5(body).digest()
    changed = replace(exchange, body=body, body_size=len(body), body_md5=md5)
    digest = base64.b64encode(md5).decode() if any(n.lower() == "content-md5" for n, _ in exchange.headers) else None
    return with_headers(changed, content_length=str(len(body)), content_md5=digest)


def with_json(exchange: Exchange, **changes: Any) -> Exchange:
    """The same submit with parts of its body replaced; None takes one away."""
    body = {**json.loads(exchange.body or b""), **changes}
    return with_body(exchange, json.dumps({name: value for name, value in body.items() if value is not None}).encode())


def with_parameters(exchange: Exchange, **changes: Any) -> Exchange:
    return with_json(exchange, parameters={**SUBMIT_BODY["parameters"], **changes})


def with_answer(exchange: Exchange, answer: Any, **headers: str) -> Exchange:
    """The same request, answered otherwise."""
    told = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(exchange, answer=told, answer_headers={**exchange.answer_headers, **changed})


UNKNOWN = {"request_id": "r1", "output": {"task_id": "t1", "task_status": "UNKNOWN"}}
DAY = "start_time=20261120100000&end_time=20261121100000"
ACCEPTED = {"request_id": "r1", "output": {"task_id": "t1", "task_status": "PENDING"}}
GOOD: Mapping[str, Exchange] = {
    "submit": studio(
        "submit",
        "POST /api/v1/services/audio/asr/transcription",
        ACCEPTED,
        SUBMIT_BODY,
        Content_Type="application/json",
        X_DashScope_Async="enable",
    ),
    "query": studio("query", "GET /api/v1/tasks/t1", TASK),
    "unwrapped": studio("query", "POST /api/v1/tasks/t1", {"request_id": "r1", **TASK["output"]}),
    "unknown": studio(
        "query", "GET /api/v1/tasks/t1", {"request_id": "r", "output": {"task_id": "t", "task_status": "UNKNOWN"}}
    ),
    "list": studio("list", f"GET /api/v1/tasks/?{DAY}&page_no=1&page_size=10", LIST),
    "cancel": studio("cancel", "POST /api/v1/tasks/t1/cancel", {"request_id": "r1"}),
    "refusal": studio("query", "GET /api/v1/tasks/t1", REFUSAL, status=401),
    "result": unsigned("result", f"GET {RESULT}", DOCUMENT),
    "put": storage(
        "put", f"PUT {KEY}", body=b"sound", marked=True, Content_Type="audio/mpeg", x_oss_object_acl="private"
    ),
    "get": unsigned("get", f"GET {SIGNED}", b"", marked=True),
    "head": storage("head", f"HEAD {KEY}", marked=True),
    "head of nothing": with_answer(
        storage("head", f"HEAD {KEY}", status=404), b"", x_oss_err=base64.b64encode(_ERROR).decode()
    ),
    "delete": storage("delete", f"DELETE {KEY}", status=204),
    "delete_many": storage(
        "delete_many",
        "POST /bucket/?delete=&encoding-type=url",
        b"<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>",
        DELETE,
        Content_MD5=base64.b64encode(hashlib.md5(DELETE).digest()).decode(),
    ),
    "initiate": storage(
        "initiate",
        f"POST {KEY}?uploads=",
        b"<InitiateMultipartUploadResult><Bucket/><Key/><UploadId>u</UploadId></InitiateMultipartUploadResult>",
        Content_Type="audio/mpeg",
    ),
    "part": storage("part", f"PUT {KEY}?partNumber=1&uploadId=u", body=b"sound", marked=True),
    "complete": storage(
        "complete",
        f"POST {KEY}?uploadId=u",
        b"<CompleteMultipartUploadResult><Location/><Bucket/><Key/><ETag/></CompleteMultipartUploadResult>",
        COMPLETE,
        x_oss_object_acl="private",
    ),
    "abort": storage("abort", f"DELETE {KEY}?uploadId=u", status=204),
    "list_parts": storage(
        "list_parts",
        f"GET {KEY}?uploadId=u&max-parts=1000&part-number-marker=",
        b"<ListPartsResult><Bucket/><Key/><UploadId/><MaxParts/><IsTruncated/></ListPartsResult>",
    ),
    "list_uploads": storage(
        "list_uploads",
        "GET /bucket/?uploads=&prefix=a&max-uploads=1000",
        b"<ListMultipartUploadsResult><Bucket/><MaxUploads/><IsTruncated/></ListMultipartUploadsResult>",
    ),
    "list_objects": storage(
        "list_objects",
        "GET /bucket/?prefix=a&max-keys=1000",
        b"<ListBucketResult><Name/><MaxKeys/><IsTruncated/></ListBucketResult>",
    ),
    "storage's refusal": storage("get", f"GET {KEY}", _ERROR, status=404),
}
