"""A signed URL fetched as the service fetches it: a plain GET by somebody who has nothing but the address.

The URL is never shown: not in an error, not in its cause.
"""

import http.client
import re
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

from dropscribe.errors import OutOfOrder, Refused
from dropscribe.model import DOWNLOADS
from dropscribe.remote.ports import Unreachable
from dropscribe.remote.storage_codes import classify_storage

LARGEST = 64 * 1024
_REMEDY = "Allow oss:GetObject, and see that storage.public_endpoint, region and cname fit the bucket."


def signed_get(url: str, patience: float) -> bytes:
    """The first 64 KB of what the URL gives. Blocking; `patience` in seconds for each answer of the network.

    Raises:
        Unreachable: nobody answers from here, or the answer breaks off.
        OutOfOrder: scope `downloads`; the public endpoint refuses, or sends elsewhere.
    """
    try:
        with _opener().open(url, timeout=patience) as answer:
            content: bytes = answer.read(LARGEST)
            return content
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise _refused(refusal.code, _body(refusal)) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"the public endpoint cannot be reached from here ({type(reason).__name__})") from None


def _refused(status: int, body: str) -> OutOfOrder:
    if 300 <= status < 400:
        message = f"the public endpoint redirects (HTTP status {status}), and a redirect breaks the signature"
        return OutOfOrder(DOWNLOADS, "Redirected", message, "Write where it leads to as storage.public_endpoint.")
    code, ec = _tag(body, "Code"), _tag(body, "EC")
    message = f"the public endpoint refuses a signed URL (HTTP status {status}): {_tag(body, 'Message')}".rstrip(": ")
    fault = classify_storage(status, code, ec, message)
    if isinstance(fault, Refused) or code in ("", "AccessDenied"):
        return OutOfOrder(DOWNLOADS, code or f"HTTP {status}", fault.message, _REMEDY)
    return replace(fault, scope=DOWNLOADS)


def _body(refusal: urllib.error.HTTPError) -> str:
    try:
        return refusal.read(LARGEST).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _tag(body: str, name: str) -> str:
    """OSS's errors are small XML documents; whatever else answers has no such tag."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", body)
    return found[1].strip() if found else ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirects())
