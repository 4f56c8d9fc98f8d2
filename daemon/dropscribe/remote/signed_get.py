"""A signed URL fetched as the service fetches it: a plain GET by somebody who has nothing but the address.

The URL is never shown: not in an error, not in its cause.
"""

import http.client
import re
import time
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

from dropscribe.config.urls import is_loopback
from dropscribe.errors import OutOfOrder, Refused
from dropscribe.model import DOWNLOADS
from dropscribe.remote.ports import Unreachable
from dropscribe.remote.storage_codes import classify_storage

LARGEST = 64 * 1024
_REMEDY = "Allow oss:GetObject, and see that storage.public_endpoint, region and cname fit the bucket."
_ITS_OWN = "x-oss-request-id"
"""A header of every answer of OSS: a proxy or a log-in page between speaks for nobody but itself."""


def signed_get(url: str, patience: float) -> bytes:
    """The first 64 KB of what the URL gives. Blocking; `patience` in seconds for each answer of the network, and
    for all of what is read.

    Raises:
        Unreachable: the storage does not answer from here: nobody does, or somebody between, or it breaks off.
        OutOfOrder: scope `downloads`; the storage refuses, or sends elsewhere.
    """
    try:
        with _opener(url).open(url, timeout=patience) as answer:
            content = _read(answer, patience)
            if _ITS_OWN not in answer.headers:
                raise Unreachable("what answers at the public endpoint does not speak like OSS")
            return content
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise _refused(refusal.code, _ITS_OWN in refusal.headers, _body(refusal, patience)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"the public endpoint cannot be reached from here ({type(reason).__name__})") from None


def _refused(status: int, is_storage: bool, body: str) -> OutOfOrder | Unreachable:
    code, ec = _tag(body, "Code"), _tag(body, "EC")
    if not is_storage and not code:
        does = "redirects" if 300 <= status < 400 else "refuses"
        return Unreachable(f"what answers at the public endpoint {does} (HTTP status {status}), and is not OSS")
    if 300 <= status < 400:
        message = f"the public endpoint redirects (HTTP status {status}), and a redirect breaks the signature"
        return OutOfOrder(DOWNLOADS, "Redirected", message, "Write where it leads to as storage.public_endpoint.")
    message = f"the public endpoint refuses a signed URL (HTTP status {status}): {_tag(body, 'Message')}".rstrip(": ")
    fault = classify_storage(status, code, ec, message)
    if isinstance(fault, Refused) or code in ("", "AccessDenied"):
        return OutOfOrder(DOWNLOADS, code or f"HTTP {status}", fault.message, _REMEDY)
    return replace(fault, scope=DOWNLOADS)


def _read(answer: Any, patience: float) -> bytes:
    """At most 64 KB. Raises TimeoutError where they come byte by byte, each of them in time."""
    end, data = time.monotonic() + patience, b""
    while len(data) < LARGEST and (piece := answer.read1(LARGEST - len(data))):
        data += piece
        if time.monotonic() > end:
            raise TimeoutError
    return data


def _body(refusal: urllib.error.HTTPError, patience: float) -> str:
    try:
        return _read(refusal, patience).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _tag(body: str, name: str) -> str:
    """OSS's errors are small XML documents; whatever else answers has no such tag."""
    found = re.search(rf"<{name}>([^<]{{0,500}})</{name}>", body)
    text = found[1].strip() if found else ""
    return text if name == "Message" or re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) else ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """A proxy could only reach its own loopback."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if is_loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)
