"""The adapters against the stand-in that the product ships: both sides of the protocols must agree."""

import asyncio
import contextlib
import io
import json
from collections.abc import Iterator

import pytest
from fastcrc import crc64

from dropscribe.clock import SystemClock
from dropscribe.config.settings import ModelStudioSettings, PollSettings, StorageSettings
from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused
from dropscribe.model import Secret, TaskReport
from dropscribe.remote.http import Timeouts
from dropscribe.remote.model_studio import ModelStudio
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import NoSuchUpload, ObjectStore, Recogniser, ResultGone
from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox

KEY = "drops/0123/abc def+ü.mp3"


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SandboxSettings(speed=50, enforce_rates=False)) as running:
        yield running


def store(sandbox: RunningSandbox, secret: str | None = None, token: str | None = None) -> ObjectStore:
    has = sandbox.settings
    settings = StorageSettings(
        provider="oss",
        bucket=has.bucket,
        region=has.region,
        endpoint=sandbox.url,
        public_endpoint=sandbox.url,
        cname=False,
        access_key_id=has.access_key_id,
        access_key_secret=Secret(secret or has.access_key_secret),
        session_token=Secret(token) if token else None,
        ram_role=None,
        prefix="drops/",
        url_lifetime=172_800.0,
        uploads=2,
        multipart_above=100_000_000,
    )
    return OssStore(settings, sleep=lambda seconds: None)


@contextlib.asynccontextmanager
async def studio(sandbox: RunningSandbox, key: str | None = None):
    settings = ModelStudioSettings(
        sandbox.url, Secret(key or sandbox.settings.api_key), 100, 100.0, 200.0, 180.0, PollSettings(0.1, 1.0)
    )
    adapter: Recogniser = ModelStudio(settings, SystemClock(), timeouts=Timeouts(call=2.0))
    try:
        yield adapter
    finally:
        await adapter.close()


async def ended(adapter: Recogniser, task_id: str) -> TaskReport:
    while True:
        report = await adapter.query(task_id)
        if report.status not in ("PENDING", "RUNNING"):
            return report
        await asyncio.sleep(0.01)


def upload(sandbox: RunningSandbox, key: str = KEY, content: bytes = b"some sound") -> str:
    adapter = store(sandbox)
    adapter.put(key, io.BytesIO(content), len(content))
    return adapter.signed_url(key, 3600)


async def test_a_file_goes_the_whole_way(sandbox):
    async with studio(sandbox) as adapter:
        urls = [upload(sandbox), upload(sandbox, "drops/silence.wav", b"NOSPEECH")]
        accepted = await adapter.submit("fun-asr", urls, {"special_word_filter": {}}, lambda: True)
        report = await ended(adapter, accepted.task_id)
        document = json.loads(await adapter.fetch(report.results[0].transcription_url, 10**6))
        listed = await adapter.list_tasks("fun-asr")

    assert (report.status, report.total) == ("SUCCEEDED", 2)
    assert [result.status for result in report.results] == ["SUCCEEDED", "FAILED"]
    assert report.results[1].code == "SUCCESS_WITH_NO_VALID_FRAGMENT"
    assert document["transcripts"]
    assert [(task.task_id, task.status) for task in listed] == [(accepted.task_id, "SUCCEEDED")]
    assert listed[0].created == pytest.approx(accepted.server_time, abs=120)


async def test_a_submit_whose_answer_was_lost_stands_in_the_list(sandbox):
    url = upload(sandbox)
    sandbox.inject("submit", "lost")
    async with studio(sandbox) as adapter:
        with pytest.raises(Ambiguous):
            await adapter.submit("fun-asr", [url], {}, lambda: True)
        (listed,) = await adapter.list_tasks("fun-asr")
        report = await ended(adapter, listed.task_id)

    assert report.results[0].file_url == url


async def test_a_submit_that_was_dropped_is_ambiguous_and_stands_in_no_list(sandbox):
    url = upload(sandbox)
    sandbox.inject("submit", "drop")
    async with studio(sandbox) as adapter:
        with pytest.raises(Ambiguous):
            await adapter.submit("fun-asr", [url], {}, lambda: True)

        assert await adapter.list_tasks(None) == []


@pytest.mark.breaks("S4")  # there is no such model
async def test_a_submit_that_is_refused_makes_no_task(sandbox):
    sandbox.inject("submit", "one_url")
    async with studio(sandbox) as adapter:
        with pytest.raises(RequestRefused):
            await adapter.submit("fun-asr", [upload(sandbox), upload(sandbox, "drops/b.wav")], {}, lambda: True)
        with pytest.raises(OutOfOrder) as caught:
            await adapter.submit("no-such-model", [upload(sandbox)], {}, lambda: True)

    assert caught.value.scope == "model:no-such-model"
    assert sandbox.state()["tasks"] == []


async def test_a_wrong_key_shuts_the_api(sandbox):
    async with studio(sandbox, "sk-wrong") as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.list_tasks(None)

    assert (caught.value.scope, caught.value.code) == ("api", "InvalidApiKey")


async def test_a_throttled_query_is_quiet(sandbox):
    sandbox.inject("query", "error", status=429, code="Throttling.RateQuota", retry_after=3)
    async with studio(sandbox) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t")

    assert (caught.value.quiet, caught.value.retry_after) == (True, 3.0)


async def test_a_long_list_is_read_in_whatever_pages_the_service_takes(sandbox):
    sandbox.change(largest_page=10)
    url = upload(sandbox)
    async with studio(sandbox) as adapter:
        accepted = {(await adapter.submit("fun-asr", [url], {}, lambda: True)).task_id for _ in range(23)}
        listed = await adapter.list_tasks("fun-asr")

    assert {task.task_id for task in listed} == accepted
    assert len(listed) == 23


async def test_a_task_nobody_knows_is_unknown(sandbox):
    async with studio(sandbox) as adapter:
        assert (await adapter.query("nobody-knows")).status == "UNKNOWN"


async def test_a_result_that_expired_is_gone(sandbox):
    url = upload(sandbox)
    async with studio(sandbox) as adapter:
        accepted = await adapter.submit("fun-asr", [url], {}, lambda: True)
        report = await ended(adapter, accepted.task_id)
        sandbox.inject("result", "expired")
        with pytest.raises(ResultGone):
            await adapter.fetch(report.results[0].transcription_url, 10**6)


@pytest.mark.parametrize("does", ["drop", "truncate", "lost"])
async def test_a_query_is_asked_again_when_its_answer_is_lost(sandbox, does):
    sandbox.inject("query", does, times=1)
    async with studio(sandbox) as adapter:
        assert (await adapter.query("nobody-knows")).status == "UNKNOWN"


def test_an_object_is_stored_found_and_deleted(sandbox):
    content = bytes(range(256)) * 1000
    adapter = store(sandbox)

    crc = adapter.put(KEY, io.BytesIO(content), len(content))

    assert crc == crc64.xz(content)
    assert adapter.head(KEY) == (len(content), crc)
    adapter.delete(KEY)
    assert adapter.head(KEY) is None
    adapter.delete(KEY)


def test_an_object_made_of_parts_has_the_checksum_of_the_whole(sandbox):
    first, second = b"a" * 102_400, b"b" * 10
    adapter = store(sandbox)

    upload_id = adapter.initiate(KEY)
    parts = [
        adapter.put_part(KEY, upload_id, number, io.BytesIO(data), len(data))
        for number, data in ((1, first), (2, second))
    ]
    unfinished = adapter.unfinished(KEY)
    listed = adapter.list_parts(KEY, upload_id)
    crc = adapter.complete(KEY, upload_id, listed)

    assert unfinished == [upload_id]
    assert [(part.number, part.size, part.etag) for part in listed] == [(p.number, p.size, p.etag) for p in parts]
    assert crc == crc64.xz(first + second)
    assert adapter.unfinished(KEY) == []


def test_an_upload_that_was_dropped_is_known_no_more(sandbox):
    adapter = store(sandbox)
    upload_id = adapter.initiate(KEY)

    adapter.abort(KEY, upload_id)
    adapter.abort(KEY, upload_id)

    with pytest.raises(NoSuchUpload):
        adapter.put_part(KEY, upload_id, 1, io.BytesIO(b"x"), 1)
    with pytest.raises(NoSuchUpload):
        adapter.list_parts(KEY, upload_id)


def test_many_objects_go_in_one_request(sandbox):
    adapter = store(sandbox)
    keys = [f"drops/{n}/ü &<.mp3" for n in range(3)]
    for key in keys:
        adapter.put(key, io.BytesIO(b"x"), 1)

    adapter.delete_many([*keys, "drops/never-there"])

    assert [adapter.head(key) for key in keys] == [None, None, None]


def test_a_wrong_secret_opens_the_storage(sandbox):
    with pytest.raises(OutOfOrder) as caught:
        store(sandbox, secret="wrong").put(KEY, io.BytesIO(b"x"), 1)

    assert (caught.value.scope, caught.value.code) == ("storage", "SignatureDoesNotMatch")


def test_temporary_credentials_are_signed_as_well(sandbox):
    sandbox.change(session_token="tok/+=")

    adapter = store(sandbox, token="tok/+=")

    assert adapter.put(KEY, io.BytesIO(b"x"), 1) == crc64.xz(b"x")
    assert adapter.unfinished(KEY) == []


def test_small_calls_survive_a_storage_that_stumbles(sandbox):
    adapter = store(sandbox)
    adapter.put(KEY, io.BytesIO(b"x"), 1)
    sandbox.inject("delete", "drop", times=1)
    sandbox.inject("delete", "error", status=503, code="ServiceBusy", times=1)

    adapter.delete(KEY)

    assert adapter.head(KEY) is None
