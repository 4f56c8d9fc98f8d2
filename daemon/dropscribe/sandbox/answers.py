"""An answer as a value, so that faults can bend it before it is sent; and the two services' ways to say no."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape

from dropscribe.sandbox.blobs import Blob

XML = "application/xml"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gets: `body` is bytes, or a stored blob of which `start:stop` is sent."""

    status: int = 200
    body: bytes | Blob = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    start: int = 0
    stop: int | None = None
    cut: bool = False
    """Send only half of the body under its full Content-Length, then drop the connection."""

    @property
    def size(self) -> int:
        """Bytes of the body that are promised."""
        whole = self.body.size if isinstance(self.body, Blob) else len(self.body)
        return (whole if self.stop is None else self.stop) - self.start

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        return replace(self, headers={**self.headers, **headers})


class OssError(Exception):
    """A refusal in OSS's shape. `ec` is OSS's finer code, empty where it is not known."""

    def __init__(self, status: int, code: str, message: str, ec: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.ec = status, code, message, ec

    def answer(self, request_id: str, host: str, bodiless: bool) -> Answer:
        """The XML error; for HEAD it travels in a header, base64, as OSS does it."""
        fields = {"Code": self.code, "Message": self.message, "RequestId": request_id, "HostId": host, "EC": self.ec}
        body = xml_document("Error", "".join(element(k, v) for k, v in fields.items() if v))
        if not bodiless:
            return Answer(self.status, body, {"x-oss-ec": self.ec} if self.ec else {}, XML)
        return Answer(self.status, b"", {"x-oss-err": base64.b64encode(body).decode(), "x-oss-ec": self.ec}, XML)


class StudioError(Exception):
    """A refusal in Model Studio's flat shape."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def answer(self, request_id: str) -> Answer:
        body = {"request_id": request_id, "code": self.code, "message": self.message}
        return json_answer(body, self.status, self.headers)


def json_answer(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False).encode(), headers or {})


def element(tag: str, text: object) -> str:
    return f"<{tag}>{escape(str(text))}</{tag}>"


def xml_document(root: str, content: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{content}</{root}>'.encode()


def new_id() -> str:
    """A fresh identifier in the form of request and task ids."""
    return str(uuid.uuid4())
