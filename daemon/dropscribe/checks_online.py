"""What `dropscribe check --online` finds: the bucket from both sides, the API key, the clock against the service's."""

import asyncio
import io
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dropscribe.checks import Finding, trouble_finding
from dropscribe.clock import SystemClock
from dropscribe.config.settings import Settings
from dropscribe.errors import DropscribeError, OutOfOrder
from dropscribe.remote.model_studio import ModelStudio
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import NoSuchUpload, ObjectStore, Recogniser, Unreachable
from dropscribe.remote.signed_get import signed_get

PATIENCE = 20.0
"""Seconds for one answer to the signed GET."""
PROBE = b"dropscribe check: this object may be deleted\n"
LINK_LIFETIME = 300.0
LARGEST_SKEW = 60.0
"""Seconds; the storage refuses signatures that are 15 minutes off."""


def over_the_network(settings: Settings) -> Iterator[Finding]:
    """Bucket, then API key and clock. Raises Misconfigured where the storage's addresses cannot be used at all."""
    storage = settings.storage
    store = OssStore(storage)
    key = f"{storage.prefix}check/{secrets.token_hex(16)}"
    found = list(bucket(store, key, storage.bucket))
    yield from found
    if all(finding.ok for finding in found):
        yield listing(store, key)
    yield from asyncio.run(_service(settings))


def bucket(store: ObjectStore, key: str, name: str) -> Iterator[Finding]:
    """Put, signed GET, delete of one small object."""
    try:
        checksum = store.put(key, io.BytesIO(PROBE), len(PROBE))
        try:
            yield _stands(store, key, name, checksum)
            yield fetched(store.signed_url(key, LINK_LIFETIME), PROBE)
        finally:
            store.delete(key)
        yield _gone(store, key)
    except (DropscribeError, NoSuchUpload) as fault:
        yield _named("bucket", fault)


def _stands(store: ObjectStore, key: str, name: str, checksum: int) -> Finding:
    if store.head(key) != (len(PROBE), checksum):
        return Finding("bucket", f"{name} does not show what was just put there: is it a mirror or a cache?", False)
    return Finding("bucket", f"{name}: put and HEAD")


def _gone(store: ObjectStore, key: str) -> Finding:
    if store.head(key) is not None:
        return Finding("bucket", "what was deleted is still there: allow oss:DeleteObject, look at retention", False)
    return Finding("bucket", "delete")


def listing(store: OssStore, key: str) -> Finding:
    """A right that is good to have and not needed."""
    about = "bucket"
    try:
        if store.may_list_uploads(key):
            return Finding(about, "list of unfinished uploads")
    except DropscribeError as fault:
        return _named(about, fault)
    lost = "after a crash a part of a large file may stay in the bucket until its lifecycle rule removes it"
    return Finding(about, f"without oss:ListMultipartUploads, which is optional: {lost}")


def fetched(url: str, expected: bytes) -> Finding:
    """The way the service fetches: a plain GET of a signed URL at the public endpoint. The URL is never shown."""
    about = "signed URL"
    try:
        body = signed_get(url, PATIENCE)
    except Unreachable as nobody:
        return Finding(about, f"{nobody}: look at storage.public_endpoint, DNS, certificate and proxy", False)
    except OutOfOrder as refused:
        return _named(about, refused)
    if body != expected:
        return Finding(about, "the public endpoint gives other content: is it this bucket's?", False)
    return Finding(about, "the object can be fetched through the public endpoint")


def _named(about: str, fault: Exception) -> Finding:
    """With the service's own code, by which manuals and search engines know it."""
    finding, code = trouble_finding(about, fault), getattr(fault, "code", "")
    return replace(finding, text=f"{code}: {finding.text}") if code else finding


async def _service(settings: Settings) -> list[Finding]:
    studio = ModelStudio(settings.model_studio, SystemClock())
    try:
        return await service(studio, time.time)
    finally:
        await studio.close()


async def service(studio: Recogniser, now: Any) -> list[Finding]:
    """The key, by the task list, which costs nothing; and the clock."""
    try:
        listed = await studio.list_tasks(None)
        key = Finding("API key", f"accepted by {studio.identity.endpoint}; {len(listed)} tasks in the last 24 hours")
    except DropscribeError as fault:
        key = _named("API key", fault)
    skew = None if studio.server_time is None else now() - studio.server_time
    return [key] if skew is None else [key, clock(skew)]


def clock(skew: float) -> Finding:
    """`skew`: seconds by which this machine is ahead of the service."""
    if abs(skew) <= LARGEST_SKEW:
        return Finding("clock", "agrees with the service's")
    way = "ahead of" if skew > 0 else "behind"
    advice = "set it and switch on NTP; the storage refuses signatures that are 15 minutes off"
    return Finding("clock", f"{abs(skew):.0f} s {way} the service's: {advice}", False)
