"""SIGHUP with work in flight, and what comes home first after a long absence."""

import os
import signal
from typing import Any

from lab import Lab, files_below
from timelapse import Days, SharedTime
from troubles.table import is_clean, trouble
from troubles.test_lost_submits import delivered

AREA = "Reload, and expiry"


async def reloads(days: Days, event: str = "reload.done") -> None:
    before = len(days.logged(event))
    os.kill(os.getpid(), signal.SIGHUP)
    await days.until(lambda: len(days.logged(event)) > before)


async def test_a_key_that_is_mended_in_the_configuration_is_tried_at_once(lab: Lab) -> None:
    name = "A wrong storage key is mended in the configuration after an hour"
    async with trouble(lab, AREA, name, "wrong `access_key_secret`; SIGHUP") as case:
        lab.configure(storage={"access_key_secret": "wrong"})
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("scope.opened", scope="storage"))
            await case.sees("scope.opened", scope="storage")
            await days.passes(hours=1)
            lab.configure()
            await reloads(days)
            mended = days.time.now()
            await days.until(lambda: days.logged("scope.closed", scope="storage"))
            assert days.time.now() - mended < 120, "nobody waits for the end of the longest wait"
            await days.until(delivered(lab, "talk.mp3"))


async def test_a_faulty_configuration_is_refused_and_work_in_flight_goes_on(lab: Lab) -> None:
    name = "SIGHUP with a faulty configuration, or one that needs a restart"
    async with trouble(lab, AREA, name, "`settle: soon`; then another bucket; work in flight") as case:
        lab.sandbox.change(task_seconds=60.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.configure({"settle": "soon"})
            await reloads(days, "reload.refused")
            lab.configure(storage={"bucket": "another"}, model_studio={"api_key": "sk-other"})
            await reloads(days, "reload.refused")
            assert [line.get("changed") for line in days.logged("reload.refused")] == [
                None,
                ["model_studio.api_key", "storage.bucket"],
            ]
            case.seen.append("`reload.refused`: the old configuration stays; mend it, SIGHUP again")
            await days.until(delivered(lab, "talk.mp3"))


async def test_an_inbox_that_is_removed_takes_its_alarm_along_and_its_work_is_finished(lab: Lab) -> None:
    name = "An inbox whose folder is missing is removed from the configuration"
    async with trouble(lab, AREA, name, "the folder is renamed; SIGHUP") as case:
        both: list[dict[str, Any]] = [{"name": name, "inbox": f"{name}/inbox"} for name in ("old", "new")]
        lab.configure(inboxes=both)
        lab.sandbox.change(task_seconds=120.0)
        lab.drop("talk.mp3", inbox="old/inbox")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            (lab.root / "old/inbox").rename(lab.root / "old/aside")
            await days.until(lambda: days.logged("scope.opened", scope=f"folder:{lab.root}/old/inbox"))
            await case.sees("scope.opened")
            lab.configure(inboxes=both[1:])
            await reloads(days)
            await days.until(lambda: days.logged("scope.closed"))
            (lab.root / "old/aside").rename(lab.root / "old/inbox")
            await days.until((lab.root / "old/done/talk.mp3").exists)
            await days.until(is_clean(lab))


async def test_an_inbox_that_is_configured_elsewhere_leaves_its_alarm_behind(lab: Lab) -> None:
    name = "An inbox whose folder is missing is configured with another folder"
    async with trouble(lab, AREA, name, "the folder is renamed; another `inbox` under the same name; SIGHUP") as case:
        lab.configure({"name": "talks", "inbox": "old"})
        async with case.start() as days:
            lab.drop("first.mp3", inbox="old")
            await days.until((lab.root / "done/first.mp3").exists)
            (lab.root / "old").rename(lab.root / "aside")
            await days.until(lambda: days.logged("scope.opened", scope=f"folder:{lab.root}/old"))
            lab.configure({"name": "talks", "inbox": "new"})
            await reloads(days)
            await days.until(lambda: days.logged("scope.closed", scope=f"folder:{lab.root}/old"))
            case.seen.append("`scope.closed` for the folder that is not needed any more")
            lab.drop("talk.mp3", inbox="new")
            await days.until((lab.root / "done/talk.mp3").exists)
            await days.until(is_clean(lab))


async def test_an_alarm_about_what_may_have_been_paid_goes_with_the_settings_that_raised_it(lab: Lab) -> None:
    name = "A transcript in the outbox of a kept library cannot be read; the inbox gets another outbox"
    async with trouble(lab, AREA, name, "its folder is a link to nowhere; another `outbox`; SIGHUP") as case:
        lab.configure({"done": "keep"})
        lab.outbox.mkdir()
        (lab.outbox / "old").symlink_to("/nowhere/archive")
        lab.drop("old/talk.mp3")
        async with case.start() as days:
            await case.sees("scope.opened", scope="adopting:talks")
            lab.configure({"done": "keep", "outbox": "elsewhere"})
            await reloads(days)
            await days.until((lab.root / "elsewhere/old/talk.json").exists)
            await days.until(lambda: days.logged("scope.closed", scope="adopting:talks"))
            await days.until(is_clean(lab))


async def test_rates_and_uploads_are_those_of_the_new_configuration(lab: Lab) -> None:
    name = "Rates and uploads change while files are under way"
    async with trouble(lab, AREA, name, "`submit_rate`, `query_rate`, `uploads`; SIGHUP") as case:
        lab.configure(storage={"uploads": 1}, model_studio={"max_urls_per_task": 1, "submit_rate": 0.01})
        files = [f"{n}.mp3" for n in range(6)]
        for path in files:
            lab.drop(path)
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.configure(storage={"uploads": 8}, model_studio={"max_urls_per_task": 100, "submit_rate": 8})
            await reloads(days)
            reloaded = days.time.now()
            await days.until(delivered(lab, *files))
            assert days.time.now() - reloaded < 300, "at the old rate the rest would have taken more than eight minutes"
            case.seen.append("`reload.done`")


async def test_after_a_day_without_a_daemon_what_is_about_to_vanish_comes_home_first(lab: Lab) -> None:
    """Eight tasks are asked at once, 40 s each; the first result has a minute left, each further one a minute more."""
    name = "23 hours and 59 minutes of absence with 16 finished tasks, whose results vanish one after the other"
    async with trouble(lab, AREA, name, "no daemon; then a slow API (40 s a query)") as case:
        clock = SharedTime(lab.sandbox)
        lab.configure(model_studio={"max_urls_per_task": 1}, batch={"max_wait": "0s"})
        lab.sandbox.inject("query", "drop")
        async with case.start(clock=clock) as days:
            for n in range(16):
                lab.drop(f"{n}.mp3")
                await days.until(lambda: len(days.logged("batch.submitted")) == n + 1)  # noqa: B023 - awaited here
                clock.jump(30.0)
        lab.sandbox.clear_faults()
        ends = sorted(task["ended"] for task in lab.sandbox.state()["tasks"])
        clock.jump(ends[0] + 24 * 3600.0 - 60.0 - clock.now())
        lab.sandbox.inject("query", "delay", seconds=40.0)
        async with case.start(clock=clock) as days:
            await days.until(lambda: len(files_below(lab.done)) == 16)
            await days.until(is_clean(lab))
            await case.sees("batch.done", times=16)
    assert lab.calls("submit") == 16, "nothing had to be bought again"
