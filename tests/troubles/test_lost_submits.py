"""The only act that costs: whatever becomes of a submit, each content is billed once, or the bill is told."""

import shutil
import urllib.request
from typing import Any

import aiohttp
import pytest

from lab import Lab, files_below, free_port, sha256
from receivers import Heard
from timelapse import Days, SharedTime
from troubles.table import Case, is_clean, trouble

AREA = "Lost submits"


def delivered(lab: Lab, *paths: str) -> Any:
    """Whether these sources have reached done/ and nothing of ours is left in the bucket."""
    return lambda: all((lab.done / path).exists() for path in paths) and is_clean(lab)()


async def test_an_answer_that_was_lost_is_found_in_the_task_list(lab: Lab) -> None:
    async with trouble(lab, AREA, "The service took the submit; its answer never came", "submit: `lost`") as case:
        lab.sandbox.inject("submit", "lost", times=1)
        files = [lab.drop(f"{n}.mp3") for n in range(3)]
        async with case.start() as days:
            await days.until(delivered(lab, "0.mp3", "1.mp3", "2.mp3"))
            await case.sees("batch.answer-lost")

    assert lab.calls("submit") == 1
    assert set(lab.heard().values()) == {sha256(data) for data in files}


async def test_a_submit_that_never_arrived_is_sent_again_only_after_the_grace_and_under_new_keys(lab: Lab) -> None:
    async with trouble(lab, AREA, "The submit never arrived", "submit: `drop`") as case:
        lab.sandbox.inject("submit", "drop", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
            intended, [old] = days.time.now(), our_keys(lab)
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.settled", outcome="absent")

    [task] = lab.sandbox.state()["tasks"]
    assert task["created"] - intended >= 180 - 15  # the harness jumps from wait to wait
    assert old not in task["files"][0]["file"]


def our_keys(lab: Lab) -> list[str]:
    return [stored["key"] for stored in lab.sandbox.state()["objects"] if "somebody" not in stored["key"]]


async def test_a_list_that_lags_is_read_again_until_the_grace_is_over(lab: Lab) -> None:
    injected = "submit: `lost`; list: `lag` of 2 min"
    async with trouble(lab, AREA, "The answer was lost and the task list lags behind", injected) as case:
        lab.sandbox.inject("submit", "lost", times=1)
        lab.sandbox.inject("list", "lag", seconds=120.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.settled", outcome="adopted")
    assert lab.calls("submit") == 1


async def test_a_list_that_cannot_be_read_means_waiting_and_saying_so(lab: Lab) -> None:
    injected = "submit: `lost`; list: HTTP 500 for an hour"
    async with trouble(lab, AREA, "The answer was lost and the task list cannot be read", injected) as case:
        lab.sandbox.inject("submit", "lost", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.taken"))
            lab.sandbox.inject("list", "error", status=500, for_seconds=3600.0)
            await days.passes(hours=0.9)
            await case.sees("scope.opened", scope="tasks")
            assert lab.calls("submit") == 1
            assert not (lab.done / "talk.mp3").exists()
            await days.until(delivered(lab, "talk.mp3"))
    assert lab.calls("submit") == 1


async def test_among_many_tasks_of_another_program_ours_is_found_and_theirs_are_left_alone(lab: Lab) -> None:
    name = "The answer was lost, and the list is full of another program's tasks, in many pages"
    async with trouble(lab, AREA, name, "submit: `lost`; 45 foreign tasks, pages of 10") as case:
        lab.sandbox.change(other_accounts={"sk-neighbour": "sandbox"}, largest_page=10, task_seconds=40.0)
        lab.sandbox.inject("submit", "lost", model="fun-asr", key="dropscribe/", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.uploaded"))
            for _ in range(45):
                a_neighbour_submits(lab)
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.settled", outcome="adopted")
            asked = lab.calls("query")
    assert len(lab.sandbox.state()["tasks"]) == 46
    assert asked < 46 * 6, "a task that has ended is not asked for again"


def a_neighbour_submits(lab: Lab) -> None:
    """Another program, with another key of the same account."""
    body = b'{"model": "fun-asr", "input": {"file_urls": ["http://127.0.0.1:9/a.mp3"]}, "parameters": {}}'
    headers = {
        "Authorization": "Bearer sk-neighbour",
        "X-DashScope-Async": "enable",
        "Content-Type": "application/json",
    }
    url = f"{lab.sandbox.url}/api/v1/services/audio/asr/transcription"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        assert answer.status == 200


async def test_a_request_that_the_network_doubled_is_paid_twice_and_said(lab: Lab) -> None:
    name = "A proxy sent the submit twice; both were taken"
    async with trouble(lab, AREA, name, "submit: `twice` and `lost`", billed="twice") as case:
        lab.sandbox.inject("submit", "twice", times=1)
        lab.sandbox.inject("submit", "lost", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.paid-twice")
        case.shows(line_of_status(lab, "paid twice"))
    assert lab.calls("submit") == 1


async def test_a_doubled_request_whose_answer_came_is_found_out_as_well(lab: Lab) -> None:
    name = "A proxy sent the submit twice, and the first answer came through"
    async with trouble(lab, AREA, name, "submit: `twice`", billed="twice") as case:
        lab.sandbox.inject("submit", "twice", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await days.until(lambda: days.logged("batch.paid-twice"))
            await case.sees("batch.paid-twice")
        case.shows(line_of_status(lab, "paid twice"))
    assert lab.calls("submit") == 1


def line_of_status(lab: Lab, part: str) -> str:
    """The one line of `dropscribe status` that holds this."""
    [line] = [line.strip() for line in lab.call("status").stdout.splitlines() if part in line]
    return line


async def test_a_task_that_shows_only_after_it_was_given_up_is_told_as_paid_twice(lab: Lab) -> None:
    name = "The answer was lost, and the task shows in the list only after the grace"
    async with trouble(lab, AREA, name, "submit: `lost`; list: `lag` of 5 min", billed="twice") as case:
        lab.sandbox.inject("submit", "lost", times=1)
        lab.sandbox.inject("list", "lag", seconds=300.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            assert lab.calls("submit") == 2
            await days.until(lambda: days.logged("batch.paid-twice"))
            await case.sees("batch.paid-twice")
        case.shows(line_of_status(lab, "paid twice"))


async def test_a_request_that_floats_in_late_finds_nothing_to_recognise(lab: Lab) -> None:
    name = "The submit arrived five minutes late, after it was sent again"
    async with trouble(lab, AREA, name, "submit: `late` by 5 min") as case:
        lab.sandbox.inject("submit", "late", seconds=300.0, times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await days.until(lambda: days.logged("task.late"))
            await case.sees("task.late")
    assert lab.calls("submit") == 2


async def test_a_file_whose_object_we_took_away_ourselves_has_not_failed_to_be_fetched(lab: Lab) -> None:
    name = (
        "The answer was lost, and the task shows late, when its objects are on their way out; one file was not fetched"
    )
    injected = (
        "submit: `lost`; list: `lag` of 5 min; deletes denied for 10 min; download: 404 of one file, its last try"
    )
    async with trouble(lab, AREA, name, injected) as case:
        lab.configure(retry={"attempts": 1})
        lab.sandbox.inject("submit", "lost", times=1)
        lab.sandbox.inject("list", "lag", seconds=300.0)
        lab.sandbox.inject("delete_many", "error", status=403, code="AccessDenied", for_seconds=600.0)
        lab.sandbox.inject("download", "error", code="FILE_404_NOT_FOUND", times=1)
        lab.drop("talk.mp3")
        lab.drop("other.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3", "other.mp3"))
            await case.sees("batch.settled", outcome="adopted")
            await case.sees("file.again", code="FILE_404_NOT_FOUND")
    assert files_below(lab.failed) == {}
    assert lab.calls("submit") == 2


async def test_an_answer_older_than_a_day_is_bought_again_once_and_then_given_up(lab: Lab) -> None:
    name = "The answer was lost, and dropscribe stood still for more than a day; twice"
    async with trouble(
        lab, AREA, name, "submit: `lost`; 25 h without a daemon; the same again", billed="twice"
    ) as case:
        clock = SharedTime(lab.sandbox)
        lab.drop("talk.mp3")
        for submits in (1, 2):
            lab.sandbox.inject("submit", "lost", times=1)
            async with case.start(clock=clock) as days:
                await days.until(lambda: days.logged("batch.answer-lost"))
            assert lab.calls("submit") == submits
            clock.jump(25 * 3600.0)
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("file.failed"))
            await days.until(is_clean(lab))
            await case.sees("file.failed", code="SubmitExpired")
    assert lab.calls("submit") == 2


async def test_a_submit_that_never_arrived_uses_up_no_rebuy_though_its_objects_cannot_be_deleted_for_a_day(
    lab: Lab,
) -> None:
    name = "The submit never arrived, and its objects cannot be deleted for more than a day"
    async with trouble(lab, AREA, name, "submit: `drop`; deletes denied for 26 h") as case:
        lab.sandbox.inject("submit", "drop", times=1)
        lab.sandbox.inject("delete_many", "error", status=403, code="AccessDenied", for_seconds=26 * 3600.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
            [old] = our_keys(lab)
            await days.passes(hours=25.5, step=1800)
            await case.sees("batch.settled", outcome="absent")
            assert (lab.calls("submit"), our_keys(lab)) == (1, [old]), "nothing is uploaded beside the old object"
            await days.until(delivered(lab, "talk.mp3"))
    assert lab.ledger("SELECT rebuys FROM recognition") == [(0,)]
    assert lab.calls("submit") == 2


async def test_a_task_that_the_service_forgot_is_bought_again_once_and_then_given_up(lab: Lab) -> None:
    injected = "query: `unknown`; list: `hide`"
    async with trouble(lab, AREA, "The service lost the task, twice", injected, billed="twice") as case:
        lab.sandbox.inject("query", "unknown")
        lab.sandbox.inject("list", "hide")
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.failed"))
            await days.until(is_clean(lab))
            await case.sees("task.dropped", times=2)
            await case.sees("file.failed", code="TaskDropped")
    assert lab.calls("submit") == 2


async def test_what_another_account_submitted_waits_for_its_key(lab: Lab) -> None:
    name = "dropscribe is restarted with the key of another account while a task runs"
    async with trouble(lab, AREA, name, "another account's key; later the first again") as case:
        await restarted_with(case, lab, "another")
        async with case.start() as days:
            await days.passes(hours=1)
            await case.sees("scope.opened", scope="account")
            assert lab.calls("submit") == 1
        lab.configure()
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
    assert lab.calls("submit") == 1


async def test_what_a_lost_account_submitted_is_given_up_and_is_over_after_a_day(lab: Lab) -> None:
    name = "The account that submitted is lost for good; the file is given up, and dropped again later"
    injected = "another account's key; `forget --unfinished`; the file comes again"
    async with trouble(lab, AREA, name, injected, billed="twice") as case:
        clock = SharedTime(lab.sandbox)
        data = lab.drop("talk.mp3")
        lab.sandbox.change(other_accounts={"sk-new": "another"}, task_seconds=60.0)
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("batch.submitted"))
        lab.configure(model_studio={"api_key": "sk-new"})
        (lab.inbox / "talk.mp3").unlink()
        case.shows(given_up(lab, "talk.mp3"), "forget --unfinished")
        async with case.start(clock=clock) as days:
            await days.passes(hours=23)
            assert days.logged("scope.opened") == [], "nobody waits for that account"
            assert len(our_keys(lab)) == 1
            await days.until(is_clean(lab))
            await case.sees("task.given-up")
            lab.drop("talk.mp3", data)
            await days.until(delivered(lab, "talk.mp3"))
    assert lab.calls("submit") == 2


async def test_a_lost_submit_of_a_lost_account_is_given_up_as_well(lab: Lab) -> None:
    name = "The account is lost while the answer to a submit is, and the file is given up"
    injected = "submit: `lost`; another account's key; `forget --unfinished`"
    async with trouble(lab, AREA, name, injected) as case:
        clock = SharedTime(lab.sandbox)
        lab.drop("talk.mp3")
        lab.sandbox.change(other_accounts={"sk-new": "another"})
        lab.sandbox.inject("submit", "lost", times=1)
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
        lab.configure(model_studio={"api_key": "sk-new"})
        (lab.inbox / "talk.mp3").unlink()
        given_up(lab, "talk.mp3")
        async with case.start(clock=clock) as days:
            await days.passes(hours=23)
            assert days.logged("scope.opened") == []
            await days.until(is_clean(lab))
            await case.sees("batch.given-up")
    assert lab.calls("submit") == 1


async def test_what_an_inbox_that_is_gone_for_good_had_under_way_is_given_up(lab: Lab) -> None:
    name = "An inbox is gone for good and is taken out of the configuration; a file of it runs, another waits"
    async with trouble(lab, AREA, name, "the folder is deleted; `forget --unfinished FOLDER`") as case:
        lab.sandbox.change(task_seconds=300.0)
        lab.drop("sent.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.sandbox.inject("submit", "error", status=402, code="Arrearage")
            lab.drop("waits.mp3")
            await days.until(lambda: days.logged("scope.opened", scope="submits"))
        lab.sandbox.clear_faults()
        shutil.rmtree(lab.inbox)
        lab.configure(inboxes=[{"name": "other", "inbox": "other/inbox"}])
        case.shows(given_up(lab, str(lab.inbox)), "forget --unfinished")
        async with case.start() as days:
            await days.until(is_clean(lab))
            await case.sees("batch.done")
            assert days.logged("inbox.not-configured") == []
    assert lab.calls("submit") == 2, "one of them was refused"
    assert [state for (state,) in lab.ledger("SELECT state FROM recognition ORDER BY id")] == ["answered", "abandoned"]


@pytest.mark.parametrize("key", ["sk-sandbox", "sk-new"])
async def test_a_single_run_ends_when_nothing_of_what_was_given_up_is_at_the_service(lab: Lab, key: str) -> None:
    lost = key == "sk-new"
    name = f"`run --once` after a file was given up that {'a lost account' if lost else 'the account'} had submitted"
    async with trouble(lab, AREA, name, "`forget --unfinished`, then `run --once`") as case:
        clock = SharedTime(lab.sandbox)
        lab.sandbox.change(other_accounts={"sk-new": "another"}, task_seconds=300.0)
        lab.drop("talk.mp3")
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("batch.submitted"))
        lab.configure(model_studio={"api_key": key if lost else lab.sandbox.settings.api_key})
        (lab.inbox / "talk.mp3").unlink()
        given_up(lab, "talk.mp3")
        async with case.start(clock=clock, once=True) as days:
            while days.is_running:
                await days.passes(minutes=1, step=10)
            assert not (await days.running).out_of_patience
            assert bool(our_keys(lab)) is lost, "what this key cannot see keeps its object for the day"
            if not lost:
                await case.sees("batch.done")
                return
        clock.jump(24 * 3600.0)
        async with case.start(clock=clock, once=True) as days:
            await days.running
            await case.sees("task.given-up")


def given_up(lab: Lab, path: str) -> str:
    """What `dropscribe forget --unfinished` says of a file."""
    ran = lab.call("forget", "--unfinished", path)
    assert ran.returncode == 0, ran.stderr
    return "; ".join(ran.stdout.splitlines())


async def test_a_new_key_of_the_same_account_collects_what_the_old_one_paid(lab: Lab) -> None:
    name = "The API key was exchanged for another of the same account while a task ran"
    async with trouble(lab, AREA, name, "another key of the account") as case:
        await restarted_with(case, lab, "sandbox")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.done")
            assert days.logged("scope.opened") == []
    assert lab.calls("submit") == 1


async def restarted_with(case: Any, lab: Lab, account: str) -> None:
    """A task runs, and the configuration names another key."""
    lab.sandbox.change(other_accounts={"sk-new": account}, task_seconds=60.0)
    lab.drop("talk.mp3")
    async with case.start() as days:
        await days.until(lambda: days.logged("batch.submitted"))
    lab.configure(model_studio={"api_key": "sk-new"})


async def test_a_process_that_froze_before_the_request_left_does_not_send_it_late(lab: Lab) -> None:
    name = "The laptop slept (or the process was frozen) between intent and request"
    async with trouble(lab, AREA, name, "60 s of suspend before the request") as case:
        lab.drop("talk.mp3")
        async with case.start() as days:
            sleeps_once_after_the_intent(days)
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.not-sent")
    assert lab.calls("submit") == 1


def sleeps_once_after_the_intent(days: Days) -> None:
    slept = []

    def observe(step: str, phase: str) -> None:
        if (step, phase) == ("submit.intend", "recorded") and not slept:
            slept.append(days.time.suspend(60.0))

    days.on_boundary = observe


async def test_a_ledger_restored_from_a_backup_adopts_what_was_paid_since(lab: Lab) -> None:
    name = "The state folder is restored from a backup made before the submit"
    async with trouble(lab, AREA, name, "an older copy of the ledger") as case:
        lab.sandbox.change(task_seconds=300.0)
        lab.drop("talk.mp3")
        lab.sandbox.inject("submit", "error", status=429, code="Throttling", retry_after=600.0)
        async with case.start() as days:
            await days.until(lambda: lab.calls("submit"))
        shutil.copytree(lab.state, lab.root / "backup")
        lab.sandbox.clear_faults()
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
        shutil.rmtree(lab.state)
        (lab.root / "backup").rename(lab.state)
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("scope.opened", scope="start")
            await case.sees("task.found")
    assert lab.calls("submit") == 2


async def test_two_submits_in_doubt_at_once_each_find_their_own_task(lab: Lab) -> None:
    """The task of the one is listed, and has ended, while the answer to the other is still awaited."""
    name = "One answer was lost while another took half a minute"
    async with trouble(lab, AREA, name, "submit: `lost`; submit: `lost` after a `delay` of 30 s") as case:
        lab.configure(inboxes=[{"inbox": f"{m}/inbox", "name": m, "model": m} for m in MODELS])
        lab.sandbox.inject("submit", "delay", model=MODELS[1], seconds=30.0, times=1)
        lab.sandbox.inject("submit", "lost", times=2)
        for model in MODELS:
            lab.drop("talk.mp3", model.encode(), inbox=f"{model}/inbox")
        async with case.start() as days:
            await days.until(lambda: all((lab.root / m / "done/talk.mp3").exists() for m in MODELS))
            await days.until(is_clean(lab))
            await case.sees("batch.answer-lost", times=2)
    assert lab.calls("submit") == 2


MODELS = ("fun-asr", "fun-asr-2025-11-07")
"""A snapshot and its alias: each one's tasks are candidates for the other's submits."""


async def test_nothing_of_a_lost_submit_is_left_when_its_source_is_deleted_meanwhile(lab: Lab) -> None:
    name = "The source of a lost submit is deleted before it is settled"
    async with trouble(lab, AREA, name, "submit: `lost`; the source is deleted") as case:
        lab.sandbox.inject("submit", "lost", times=1)
        lab.sandbox.inject("list", "lag", seconds=60.0)
        data = lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
            (lab.inbox / "talk.mp3").unlink()
            await days.until((lab.outbox / "talk.json").exists)
            await days.until(is_clean(lab))
            await case.sees("file.delivered")
    assert lab.heard() == {"talk.json": sha256(data)}
    assert files_below(lab.done) == {}


@pytest.mark.parametrize("does", ["unknown", "missing", "no_results"])
async def test_one_odd_look_at_a_task_in_doubt_buys_nothing(lab: Lab, does: str) -> None:
    name = f"The answer was lost, and long after the grace one look at its task shows it `{does}`"
    async with trouble(lab, AREA, name, f"submit: `lost`; query: `{does}`, once or for a while") as case:
        lab.sandbox.change(task_seconds=1200.0)
        lab.sandbox.inject("submit", "lost", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
            await days.passes(minutes=5, step=30)
            if does == "unknown":
                lab.sandbox.inject("query", does, times=1)
            else:
                lab.sandbox.change(task_seconds=0.1)
                lab.sandbox.inject("query", does, for_seconds=1300.0)
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("batch.settled", outcome="adopted")
    assert lab.calls("submit") == 1


async def test_what_was_given_up_is_looked_for_after_a_restart_as_well(lab: Lab) -> None:
    name = "A task surfaces after it was given up, and after a restart"
    async with trouble(lab, AREA, name, "submit: `lost`; list: `lag` of 10 min; a restart", "twice") as case:
        clock = SharedTime(lab.sandbox)
        lab.sandbox.inject("submit", "lost", times=1)
        lab.sandbox.inject("list", "lag", seconds=600.0)
        lab.drop("talk.mp3")
        async with case.start(clock=clock) as days:
            await days.until((lab.done / "talk.mp3").exists)
            assert days.logged("batch.paid-twice") == []
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("batch.paid-twice"))
            await days.until(is_clean(lab))
            await case.sees("batch.paid-twice")


async def test_a_neighbours_task_that_cannot_be_asked_shuts_nothing(lab: Lab) -> None:
    name = "A task of the same account, of another program, refuses to be asked"
    async with trouble(lab, AREA, name, "submit: `lost`; query of a foreign task: HTTP 403") as case:
        lab.sandbox.change(other_accounts={"sk-neighbour": "sandbox"}, task_seconds=40.0)
        a_neighbour_submits(lab)
        [foreign] = lab.sandbox.state()["tasks"]
        lab.sandbox.inject("query", "error", status=403, code="AccessDenied", task=foreign["task_id"])
        lab.sandbox.inject("submit", "lost", key="dropscribe/", times=1)
        lab.sandbox.change(task_seconds=300.0)  # ours still runs when the list is first read: both are asked
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("task.unanswered", code="AccessDenied")
            await case.sees("batch.settled", outcome="adopted")


async def test_a_neighbours_task_that_cannot_be_asked_opens_the_start_gate_for_new_files(lab: Lab) -> None:
    name = "At the start a foreign task refuses to be asked, and files wait that it could be about"
    async with trouble(lab, AREA, name, "query of a foreign task: HTTP 403, for a day") as case:
        clock = SharedTime(lab.sandbox)
        lab.sandbox.change(other_accounts={"sk-neighbour": "sandbox"})
        lab.sandbox.inject("submit", "error", status=402, code="Arrearage")
        lab.drop("old.mp3")
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("scope.opened"))
        lab.sandbox.clear_faults()
        a_neighbour_submits(lab)
        [foreign] = lab.sandbox.state()["tasks"]
        lab.sandbox.inject("query", "error", status=403, code="AccessDenied", task=foreign["task_id"])
        lab.drop("new.mp3")
        async with case.start(clock=clock) as days:
            await days.until((lab.done / "new.mp3").exists)
            await case.sees("scope.opened", scope="start")
            assert not (lab.done / "old.mp3").exists()
            clock.jump(24 * 3600.0)
            await days.until(delivered(lab, "old.mp3"))


async def test_a_start_gate_that_asks_for_half_an_hour_is_no_hang(lab: Lab) -> None:
    name = "At the start the list shows so many foreign tasks that asking about them takes half an hour"
    async with trouble(lab, AREA, name, "30 foreign tasks, asked one in 50 s") as case:
        clock, port, manager = SharedTime(lab.sandbox), free_port(), Heard()
        await stopped_with_a_file_and_neighbours(case, lab, clock, metrics={"port": port})
        async with case.start(clock=clock, notifier=manager) as days:
            for _ in range(22):
                fed = manager.fed()
                await days.passes(minutes=1, step=50)
                assert manager.fed() > fed, "the watchdog is fed"
                assert await health(port) == (200, "ok\n")
            assert lab.calls("submit") == 31, "the gate is shut; the others were the neighbour's"
            await days.until(delivered(lab, "old.mp3"))
            await case.sees("start.asking")
            assert days.logged("daemon.hangs") == []


async def test_a_single_run_is_patient_with_a_start_gate_that_asks(lab: Lab) -> None:
    name = "`run --once --patience 10m` meets as many foreign tasks"
    async with trouble(lab, AREA, name, "30 foreign tasks, asked one in 50 s") as case:
        clock = SharedTime(lab.sandbox)
        await stopped_with_a_file_and_neighbours(case, lab, clock)
        async with case.start(clock=clock, once=True, patience=600.0) as days:
            while days.is_running:
                await days.passes(minutes=1, step=50)
            assert not (await days.running).out_of_patience
            await case.sees("file.delivered")


async def stopped_with_a_file_and_neighbours(case: Case, lab: Lab, clock: SharedTime, **sections: Any) -> None:
    """A file waits for its submit, and 30 tasks ended that are another program's; a question takes 50 s."""
    lab.configure(model_studio={"query_rate": 0.02}, **sections)
    lab.sandbox.change(other_accounts={"sk-neighbour": "sandbox"})
    lab.sandbox.inject("submit", "error", status=402, code="Arrearage")
    lab.drop("old.mp3")
    async with case.start(clock=clock) as days:
        await days.until(lambda: days.logged("scope.opened"))
    lab.sandbox.clear_faults()
    for _ in range(30):
        a_neighbour_submits(lab)


async def health(port: int) -> tuple[int, str]:
    url = f"http://127.0.0.1:{port}/healthz"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_lost_submit_of_another_key_of_the_account_is_found_and_its_alarm_ends(lab: Lab) -> None:
    name = "The API key was exchanged within the account while an answer was lost"
    async with trouble(lab, AREA, name, "submit: `lost`; another key of the account") as case:
        lab.sandbox.change(other_accounts={"sk-new": "sandbox"}, task_seconds=60.0)
        lab.sandbox.inject("submit", "lost", times=1)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.answer-lost"))
        lab.configure(model_studio={"api_key": "sk-new"})
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("scope.opened", scope="account")
            await case.sees("scope.closed", scope="account")
    assert lab.calls("submit") == 1
