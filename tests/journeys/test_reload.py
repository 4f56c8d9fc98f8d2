"""SIGHUP: a sound configuration takes effect at once, a faulty one changes nothing."""

import signal

from lab import Daemon, Lab, eventually, quick_inbox, sha256


def reload(daemon: Daemon, event: str) -> None:
    before = len(daemon.logged(event))
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(daemon.logged(event)) > before)


def test_folders_and_outputs_are_those_of_the_moment_of_delivery_and_settings_those_of_the_taking(lab: Lab) -> None:
    lab.configure({"recognition": {"language_hints": ["zh"]}})
    lab.sandbox.change(task_seconds=1.0)
    with lab.start() as daemon:
        lab.drop("talk.mp3")
        eventually(lambda: lab.calls("submit") == 1)

        lab.configure({"recognition": {"language_hints": ["en"]}, "outbox": "texts", "outputs": ["json"]})
        reload(daemon, "reload.done")
        eventually((lab.done / "talk.mp3").exists)

        assert set(lab.heard("texts")) == {"talk.json"}
        assert not (lab.root / "texts/talk.srt").exists()
        [task] = lab.sandbox.state()["tasks"]
        assert task["parameters"] == {"language_hints": ["zh"]}
        assert daemon.stop() == 0


def test_how_texts_are_shown_is_that_of_the_moment_of_delivery_and_no_part_of_what_is_paid(lab: Lab) -> None:
    lab.configure({"outputs": ["json", "vtt"]})
    with lab.start() as daemon:
        lab.drop("one.mp3", b"the same words")
        eventually((lab.done / "one.mp3").exists)

        lab.configure({"outputs": ["json", "srt"], "subtitles": {"line": 12, "lines": 1}, "speakers": {0: "Anna"}})
        reload(daemon, "reload.done")
        lab.drop("two.mp3", b"the same words")
        eventually((lab.done / "two.mp3").exists)
        assert daemon.stop() == 0

    assert lab.calls("submit") == 1
    assert set(lab.outputs()) == {"one.json", "one.vtt", "two.json", "two.srt"}
    lines = [block.split("\n")[2:] for block in (lab.outbox / "two.srt").read_text().split("\n\n")[:-1]]
    assert all(len(cue) == 1 and len(cue[0]) <= 12 for cue in lines)


def test_inboxes_come_and_go_and_what_is_in_flight_finishes_as_it_began(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("old")])
    lab.sandbox.change(task_seconds=0.8)
    with lab.start() as daemon:
        old = lab.drop("talk.mp3", b"in flight", inbox="old/inbox")
        eventually(lambda: lab.calls("submit") == 1)

        lab.configure(inboxes=[quick_inbox("new")])
        reload(daemon, "reload.done")
        lab.drop("late.mp3", b"nobody's any more", inbox="old/inbox")
        lab.drop("talk.mp3", b"new", inbox="new/inbox")
        eventually((lab.root / "new/done/talk.mp3").exists)
        eventually((lab.root / "old/done/talk.mp3").exists)
        assert daemon.logged("reload.done")[0]["changed"] == ["inboxes: new added", "inboxes: old removed"]
        assert daemon.stop() == 0

    assert lab.heard("old/outbox") == {"talk.json": sha256(old)}
    assert (lab.root / "old/inbox/late.mp3").exists()


def test_a_faulty_or_a_forbidden_change_is_refused_and_the_old_configuration_goes_on(lab: Lab) -> None:
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        lab.configure({"settle": "soon"})
        reload(daemon, "reload.refused")
        lab.configure(state="elsewhere", storage={"bucket": "another"})
        reload(daemon, "reload.refused")

        lab.drop("talk.mp3")
        eventually((lab.done / "talk.mp3").exists)
        assert daemon.stop() == 0

    [faulty, forbidden] = daemon.logged("reload.refused")
    assert "settle" in str(faulty)
    assert "state" in str(forbidden)
    assert "storage.bucket" in str(forbidden)
    assert not (lab.root / "elsewhere").exists()


def test_files_under_way_of_an_inbox_that_a_restart_does_not_know_are_told_and_kept(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("old")])
    lab.sandbox.change(task_seconds=30.0)
    lab.drop("talk.mp3", inbox="old/inbox")
    with lab.start() as daemon:
        eventually(lambda: lab.calls("submit") == 1)
        assert daemon.stop() == 0

    lab.configure(inboxes=[quick_inbox("new")])
    with lab.start() as daemon:
        [told] = eventually(lambda: daemon.logged("inbox.not-configured"))
        assert daemon.stop() == 0

    assert (told["inbox"], told["files"]) == ("old", 1)
    assert (lab.root / "old/inbox/talk.mp3").exists()
