"""A signed URL fetched as the service fetches it: a plain GET by somebody who has nothing but the address.

The URL is never shown: not in an error, not in its cause.
"""

import asyncio
import re
from dataclasses import replace

from dropscribe.errors import OutOfOrder, Refused
from dropscribe.model import DOWNLOADS
from dropscribe.remote.http import Answer, Cut, Http, Timeouts, TooLarge, Unreached
from dropscribe.remote.ports import Unreachable
from dropscribe.remote.storage_codes import classify_storage

LARGEST = 64 * 1024
_REMEDY = "Allow oss:GetObject, and see that storage.public_endpoint, region and cname fit the bucket."
_ITS_OWN = "x-oss-request-id"
"""A header of every answer of OSS: a proxy or a log-in page between speaks for nobody but itself."""


def signed_get(url: str, patience: float) -> bytes:
    """What the URL gives. Blocking, for a thread without a loop; `patience` in seconds for all of it, headers too.

    Raises:
        Unreachable: the storage does not answer from here: nobody does, or somebody between, or it breaks off.
        OutOfOrder: scope `downloads`; the storage refuses, or sends elsewhere.
    """
    try:
        answer = asyncio.run(_get(url, patience))
    except (Unreached, Cut) as error:
        raise Unreachable(f"the public endpoint cannot be reached from here ({error})") from None
    except TooLarge:
        raise _somebody_else() from None
    if answer.status >= 300:
        raise _refused(answer.status, _ITS_OWN in answer.headers, answer.data.decode(errors="replace"))
    if _ITS_OWN not in answer.headers:
        raise _somebody_else()
    return answer.data


async def _get(url: str, patience: float) -> Answer:
    http = Http(timeouts=Timeouts(connect=patience, call=patience))
    try:
        return await http.get(url, {}, LARGEST)
    finally:
        await http.close()


def _somebody_else() -> Unreachable:
    return Unreachable("what answers at the public endpoint does not speak like OSS")


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


def _tag(body: str, name: str) -> str:
    """OSS's errors are small XML documents; whatever else answers has no such tag."""
    found = re.search(rf"<{name}>([^<]{{0,500}})</{name}>", body)
    text = found[1].strip() if found else ""
    return text if name == "Message" or re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) else ""
