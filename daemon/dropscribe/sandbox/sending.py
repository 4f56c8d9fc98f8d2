"""Between aiohttp and the sandbox: a request becomes a Call, an Answer becomes bytes on the wire."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.http_exceptions import PayloadEncodingError
from multidict import CIMultiDict

from dropscribe.sandbox.answers import Answer
from dropscribe.sandbox.blobs import SMALL, Blob
from dropscribe.sandbox.calls import Call, parsed_target
from dropscribe.sandbox.faults import Fault

BROKEN_OFF = (ConnectionError, web.RequestPayloadError, PayloadEncodingError)
"""What reading a body raises when its sender has gone."""

_HANGUP_LOOK = 0.1  # seconds between two looks whether a caller that gets no answer has gone


def as_call(request: web.BaseRequest) -> Call:
    """The request as the services see it; its body is not read yet."""
    raw_path, path, query = parsed_target(request.raw_path)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, raw_path, path, query, headers, request.content, request.content_length)


async def invite_body(request: web.BaseRequest) -> None:
    """Tell a caller that asked first to send its body."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def send(request: web.BaseRequest, answer: Answer, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send it with these headers added; large bodies are streamed."""
    merged = CIMultiDict(headers)
    merged.update(answer.headers)
    merged[hdrs.CONTENT_TYPE] = answer.content_type
    if request.method == "HEAD":
        merged[hdrs.CONTENT_LENGTH] = str(answer.size)
        return web.Response(status=answer.status, headers=merged)
    if not answer.cut and (body := _at_once(answer)) is not None:
        return web.Response(status=answer.status, body=body or None, headers=merged)
    return await _streamed(request, answer, merged)


def _at_once(answer: Answer) -> bytes | None:
    """The whole body where it is small, else None."""
    if isinstance(answer.body, Blob):
        return b"".join(answer.body.chunks(answer.start, answer.stop)) if answer.size <= SMALL else None
    return answer.body


async def _streamed(request: web.BaseRequest, answer: Answer, headers: CIMultiDict[str]) -> web.StreamResponse:
    """A body that its object lost meanwhile (deleted, replaced) breaks off, as a cut one does."""
    response = web.StreamResponse(status=answer.status, reason=HTTPStatus(answer.status).phrase, headers=headers)
    response.content_length = answer.size
    await response.prepare(request)
    stop = answer.start + (answer.size // 2 if answer.cut else answer.size)
    try:
        if isinstance(answer.body, Blob):
            for chunk in answer.body.chunks(answer.start, stop):
                await response.write(chunk)
        else:
            await response.write(answer.body[answer.start : stop])
    except FileNotFoundError:
        return hung_up(request, response)
    if answer.cut:
        _close(request)
    else:
        await response.write_eof()
    return response


def hung_up(request: web.BaseRequest, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Drop the connection; what is returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


def _close(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()


async def wait_for_hangup(request: web.BaseRequest, stopping: asyncio.Event) -> None:
    """Return when the caller has gone, or when the sandbox stops."""
    while not stopping.is_set() and request.transport is not None and not request.transport.is_closing():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HANGUP_LOOK):
                await stopping.wait()


def bent(answer: Answer, fault: Fault) -> Answer:
    """An answer whose body a fault spoils on its way."""
    if fault.does == "truncate":
        return replace(answer, cut=True)
    if fault.does == "not_json":
        return Answer(answer.status, b"<html><body>Bad gateway</body></html>", answer.headers, "text/html")
    return answer
