"""Faults of the account, the network, the service: one line, no file harmed, and what is not affected goes on."""

from typing import Any

import pytest

from lab import Lab, files_below
from timelapse import Days, SharedTime
from troubles.table import Case, is_clean, trouble

AREA = "Account, network and service"
STORAGE_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "The bucket is gone": ("NoSuchBucket", {"status": 404, "message": "The specified bucket does not exist."}),
    "The key may not write": ("AccessDenied", {"status": 403, "message": "You have no right to access this object."}),
    "The account may not use OSS's own domain": (
        "PublicEndpointForbidden",
        {"status": 400, "message": "Not allowed using the OSS public endpoint, please use CNAME instead."},
    ),
    "This machine's clock is wrong": (
        "RequestTimeTooSkewed",
        {"status": 403, "message": "The difference between the request time and the current time is too large."},
    ),
    "The storage is down": ("InternalError", {"status": 500, "message": "Please try again later."}),
}


async def opened(days: Days, **having: object) -> None:
    await days.until(lambda: days.logged("scope.opened", **having))


async def mends(case: Case, *paths: str) -> None:
    """The fault is gone: all is delivered, each scope's end is said, and nothing has failed."""
    lab, days = case.lab, case.days
    lab.sandbox.clear_faults()
    await days.until(lambda: all((lab.done / path).exists() for path in paths))
    await days.until(is_clean(lab))
    await days.until(lambda: len(days.logged("scope.closed")) == len(days.logged("scope.opened")))
    assert files_below(lab.failed) == {}


@pytest.mark.parametrize("name", STORAGE_FAULTS)
async def test_a_storage_that_is_out_of_order_is_said_once_probed_and_forgiven(lab: Lab, name: str) -> None:
    code, fault = STORAGE_FAULTS[name]
    async with trouble(lab, AREA, name, f"put: HTTP {fault['status']} `{code}`, for two hours") as case:
        lab.sandbox.inject("put", "error", code=code, **fault)
        for n in range(4):
            lab.drop(f"{n}.mp3", b"%d" % n * 999)
        async with case.start() as days:
            await opened(days, scope="storage", code=code)
            puts = lab.calls("put")
            await days.passes(hours=2)
            assert 5 < lab.calls("put") - puts < 60, "small probes, at most five minutes apart"
            await case.sees("scope.opened")
            await mends(case, "0.mp3", "3.mp3")


async def test_a_public_endpoint_that_refuses_everybody_is_no_fault_of_a_single_file(lab: Lab) -> None:
    name = "Uploads work, but the service may not fetch from the public endpoint"
    async with trouble(lab, AREA, name, "get: HTTP 400 `PublicEndpointForbidden`") as case:
        message = "Not allowed using the OSS public endpoint, please use CNAME instead."
        lab.sandbox.inject("get", "error", status=400, code="PublicEndpointForbidden", message=message)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await opened(days, scope="downloads")
            submits = lab.calls("submit")
            await days.passes(hours=1)
            await case.sees("scope.opened", scope="downloads", code="PublicEndpointForbidden")
            assert lab.calls("submit") == submits
            await mends(case, "talk.mp3")


@pytest.mark.parametrize("when", ["at the start", "while tasks run"])
async def test_a_wrong_key_is_one_line_whatever_needs_it(lab: Lab, when: str) -> None:
    name = f"The API key is refused {when}"
    async with trouble(lab, AREA, name, "another key is right, for two hours") as case:
        lab.sandbox.change(task_seconds=300.0)
        if when == "at the start":
            lab.sandbox.change(api_key="sk-another")
        lab.drop("first.mp3")
        async with case.start() as days:
            if when == "while tasks run":
                await days.until(lambda: days.logged("batch.submitted"))
                lab.sandbox.change(api_key="sk-another")
            lab.drop("second.mp3")
            await opened(days, scope="api")
            submits = lab.calls("submit")
            await days.passes(hours=2)
            await case.sees("scope.opened", code="InvalidApiKey")
            assert len(days.logged("scope.opened")) == 1
            assert lab.calls("submit") <= submits + 1, "the key is tried with questions"
            lab.sandbox.change(api_key=lab.sandbox.settings.api_key.replace("another", "sandbox"))
            await mends(case, "first.mp3", "second.mp3")


@pytest.mark.parametrize(("status", "code"), [(400, "Arrearage"), (429, "PostpaidBillOverdue"), (401, "InvalidApiKey")])
async def test_submits_alone_are_shut_where_only_submits_are_refused(lab: Lab, status: int, code: str) -> None:
    name = f"The account may not submit ({code} as {status})"
    async with trouble(lab, AREA, name, f"submit: HTTP {status} `{code}`, for two hours") as case:
        lab.sandbox.change(task_seconds=300.0)
        lab.drop("paid.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.sandbox.inject("submit", "error", status=status, code=code, message="Access denied, please make sure.")
            for n in range(3):
                lab.drop(f"{n}.mp3", b"%d" % n)
            await opened(days, scope="submits")
            await days.until((lab.done / "paid.mp3").exists)
            await days.passes(hours=2)
            await case.sees("scope.opened", scope="submits", code=code)
            await mends(case, "0.mp3", "1.mp3", "2.mp3")


OF_ONE: dict[str, dict[str, Any]] = {
    "The model is not purchased": {"status": 403, "code": "AccessDenied.Unpurchased"},
    "The model's quota is used up": {"status": 429, "code": "Throttling.AllocationQuota"},
    "The vocabulary was deleted": {
        "status": 400,
        "code": "InvalidParameter",
        "message": "The vocabulary vocab-abc does not exist.",
    },
}


@pytest.mark.parametrize("name", OF_ONE)
async def test_what_one_inbox_cannot_have_stops_no_other(lab: Lab, name: str) -> None:
    fault = OF_ONE[name]
    other_model = "vocabulary" not in fault.get("message", "")
    async with trouble(lab, AREA, name, f"submit: HTTP {fault['status']} `{fault['code']}`") as case:
        bad: dict[str, Any] = {"name": "bad", "inbox": "bad/inbox", "done": "done"}
        bad |= {"model": "fun-asr-mtl"} if other_model else {"recognition": {"vocabulary_id": "vocab-abc"}}
        lab.configure(inboxes=[bad, {"name": "good", "inbox": "good/inbox", "done": "done"}])
        lab.sandbox.inject("submit", "error", **fault, **({"model": "mtl"} if other_model else {}))
        lab.drop("bad.mp3", inbox="bad/inbox")
        async with case.start() as days:
            await opened(days)
            if not other_model:
                lab.sandbox.clear_faults()  # no fault can tell the settings; they stay shut for minutes
            lab.drop("good.mp3", inbox="good/inbox")
            await days.until((lab.done / "good.mp3").exists)
            await case.sees("scope.opened", code=fault["code"])
            assert len(days.logged("scope.opened")) == 1
            await mends(case, "bad.mp3")


async def test_a_dead_network_of_two_hours_costs_two_hours(lab: Lab) -> None:
    async with trouble(lab, AREA, "No network for two hours", "every call: `drop`, for two hours") as case:
        lab.sandbox.change(task_seconds=200.0)
        lab.drop("running.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.sandbox.inject("*", "drop", for_seconds=7200.0)
            for n in range(5):
                lab.drop(f"{n}.mp3", b"%d" % n)
            await days.passes(hours=2.1)
            for scope in ("api", "storage"):
                await case.sees("scope.opened", scope=scope)
            await mends(case, "running.mp3", "0.mp3", "4.mp3")


async def test_a_burst_of_429_quiets_the_submits_and_alarms_nobody(lab: Lab) -> None:
    injected = "submit and query: HTTP 429, with and without `Retry-After`"
    async with trouble(lab, AREA, "Bursts of rate limits", injected) as case:
        for call in ("submit", "query"):
            lab.sandbox.inject(call, "error", status=429, code="Throttling.RateQuota", times=1, retry_after=30.0)
            lab.sandbox.inject(call, "error", status=429, code="Throttling.RateQuota", times=1, skip=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: lab.calls("submit") == 1)
            first = lab.sandbox.state()["now"]
            await days.until((lab.done / "talk.mp3").exists)
            await days.until(is_clean(lab))
            assert days.logged("scope.opened") == []
            await case.sees("file.delivered")
    assert lab.sandbox.state()["tasks"][0]["created"] - first >= 30
    assert lab.calls("submit") == 3


async def test_a_service_that_breaks_down_at_every_question_is_asked_again(lab: Lab) -> None:
    async with trouble(lab, AREA, "The service answers every query with 503", "query: HTTP 503 for an hour") as case:
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.sandbox.inject("query", "error", status=503, code="ServiceUnavailable", message="Busy.")
            await opened(days, scope="queries")
            lab.drop("other.mp3")
            await days.until(lambda: len(days.logged("batch.submitted")) == 2)
            await days.passes(hours=1)
            await case.sees("scope.opened", scope="queries", code="ServiceUnavailable")
            await mends(case, "talk.mp3", "other.mp3")


async def test_one_upload_that_always_fails_while_others_come_through_fails_alone(lab: Lab) -> None:
    name = "One file's upload always breaks off, the others' do not"
    async with trouble(lab, AREA, name, "put of one object: `drop`") as case:
        lab.configure(retry={"attempts": 3})
        lab.drop("poison.mp3")
        async with case.start() as days:
            lab.sandbox.inject("put", "drop", times=1)
            await days.until(lambda: lab.calls("put"))
            await opened(days, scope="uploads")
            lab.sandbox.inject("put", "drop", key=object_key_of(lab))
            for n in range(40):
                if days.logged("file.failed"):
                    break
                lab.drop(f"{n}.mp3", b"%d" % n)
                await days.until((lab.done / f"{n}.mp3").exists)
                await days.passes(minutes=16)
            await days.until(is_clean(lab))
            await case.sees("file.failed", code="Unreachable")


def object_key_of(lab: Lab) -> str:
    """The key that the one file under way has; recorded before its first use."""
    return str(lab.ledger("SELECT object_key FROM recognition")[0][0])


@pytest.mark.breaks("A6")  # a proxy refuses, not the storage
async def test_uploads_that_always_fail_take_nobody_elses_turn(lab: Lab) -> None:
    name = "Ten uploads fail at every try, and then a good file is dropped"
    async with trouble(lab, AREA, name, "put of `*.mp3`: HTTP 413, for ever") as case:
        lab.sandbox.inject("put", "error", status=413, code="", message="too large", key=".mp3")
        for n in range(10):
            lab.drop(f"{n}.mp3", b"%d" % n)
        async with case.start() as days:
            await opened(days, scope="uploads")
            await days.passes(hours=2, step=300)
            lab.drop("good.wav", b"good")
            dropped = days.time.now()
            await days.until((lab.done / "good.wav").exists)
            assert days.time.now() - dropped < 900
            await case.sees("scope.opened", None, scope="uploads")
            await mends(case, "0.mp3", "9.mp3")


async def test_uploads_are_in_order_again_when_what_failed_is_taken_away(lab: Lab) -> None:
    name = "The one file whose upload fails is deleted"
    async with trouble(lab, AREA, name, "put: `drop` of one object; the source is deleted", "nothing") as case:
        lab.sandbox.inject("put", "drop", key=".mp3")
        lab.drop("talk.mp3")
        async with case.start() as days:
            await opened(days, scope="uploads")
            (lab.inbox / "talk.mp3").unlink()
            await days.passes(hours=1)
            await days.until(is_clean(lab))
            await case.sees("scope.closed", scope="uploads")


async def test_a_large_file_over_a_flaky_line_is_charged_nothing_as_long_as_it_gets_further(lab: Lab) -> None:
    name = "Every second part of a large upload is cut, while small files come through"
    async with trouble(lab, AREA, name, "part: `drop`, each second one") as case:
        lab.configure(storage={"multipart_above": "9MB"}, retry={"attempts": 2})
        lab.drop("large.mp3", bytes(range(256)) * 4096 * 48)  # six parts
        for n in range(6):
            lab.sandbox.inject("part", "drop", times=1, skip=1 + 2 * n)
        async with case.start() as days:
            for n in range(8):
                lab.drop(f"{n}.mp3", b"%d" % n)
                await days.until((lab.done / f"{n}.mp3").exists)
                await days.passes(minutes=16, step=960)
            await days.until((lab.done / "large.mp3").exists)
            await days.until(is_clean(lab))
            await case.sees("file.delivered", path="large.mp3")
            assert days.logged("upload.again") == []


ONE_TASK: dict[str, tuple[str, dict[str, Any]]] = {
    "One task's query is refused for ever, the others' are not": (
        "query",
        {"status": 404, "code": "NotFound", "message": "no such task"},
    ),
    "One task's result is refused for ever, the others' are not": (
        "result",
        {"status": 403, "code": "AccessDenied", "message": "no"},
    ),
}


@pytest.mark.parametrize("name", ONE_TASK)
async def test_one_task_in_trouble_opens_and_closes_nothing_for_the_others(lab: Lab, name: str) -> None:
    call, fault = ONE_TASK[name]
    async with trouble(lab, AREA, name, f"{call} of one task: HTTP {fault['status']}") as case:
        lab.drop("first.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            task = days.logged("batch.submitted")[0]["task_id"]
            lab.sandbox.inject(call, "error", task=task, **fault)
            for n in range(6):
                lab.drop(f"{n}.mp3", b"%d" % n)
                await days.until((lab.done / f"{n}.mp3").exists)
                await days.passes(minutes=5, step=60)
            assert len(days.logged("scope.opened")) <= 1
            case.seen.append("`scope.opened` once at most; then `result.again` for the one task")
            await mends(case, "first.mp3")


async def test_a_broken_task_list_and_a_blip_do_not_shut_the_api(lab: Lab) -> None:
    name = "The task list is broken for a day, and the network blinks once"
    async with trouble(lab, AREA, name, "list: HTTP 500; query: `drop`, a minute") as case:
        lab.sandbox.change(task_seconds=100.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.sandbox.inject("list", "error", status=500)
            lab.sandbox.inject("query", "drop", for_seconds=60.0)
            await days.until((lab.done / "talk.mp3").exists)
            await days.until(is_clean(lab))
            await case.sees("file.delivered")
            assert days.logged("scope.opened", scope="api") == []


class Ahead(SharedTime):
    """The wall clock of a machine that has just started, until it hears what time it is."""

    ahead = 8 * 3600.0

    def now(self) -> float:
        return super().now() + self.ahead


async def test_a_clock_that_is_hours_ahead_and_is_set_right_lets_no_file_wait_for_hours(lab: Lab) -> None:
    name = "The machine starts with its clock eight hours ahead; it is set right when the storage has refused it"
    async with trouble(lab, AREA, name, "put: HTTP 403 `RequestTimeTooSkewed`; the clock is set back") as case:
        lab.sandbox.inject("put", "error", status=403, code="RequestTimeTooSkewed", message="It is another time.")
        lab.drop("talk.mp3")
        clock = Ahead(lab.sandbox)
        async with case.start(clock=clock):
            await case.sees("scope.opened", scope="storage")
            clock.ahead = 0.0
            mended = clock.monotonic()
            await mends(case, "talk.mp3")
            await case.sees("clock.set-back")
            assert clock.monotonic() - mended < 600.0
