"""Sources that vanish or change while their files are on the way: nothing is lost, nothing is paid for nobody."""

from lab import Lab, eventually, files_below, quick_inbox, sha256


def test_a_source_deleted_before_its_submit_is_withdrawn_and_not_billed(lab: Lab) -> None:
    lab.configure(batch={"max_wait": "1s"})
    lab.drop("gone.mp3")
    replaced = lab.drop("replaced.mp3")
    with lab.start() as daemon:
        eventually(lambda: len(daemon.logged("file.uploaded")) == 2)
        (lab.inbox / "gone.mp3").unlink()
        newer = lab.drop("replaced.mp3", b"other content")
        eventually((lab.done / "replaced.mp3").exists)
        eventually(lambda: len(daemon.logged("source.withdrawn")) >= 1)
        eventually(lambda: lab.sandbox.state()["objects"] == [])

    assert dict(lab.billed()) == {sha256(newer): 1}
    assert sha256(replaced) not in lab.billed()
    assert lab.heard() == {"replaced.json": sha256(newer)}
    assert files_below(lab.failed) == {}


def test_what_was_uploaded_of_a_withdrawn_source_goes_without_waiting_for_company(lab: Lab) -> None:
    lab.configure(batch={"max_wait": "1s"})
    lab.drop("gone.mp3")
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("file.uploaded"))
        (lab.inbox / "gone.mp3").unlink()
        eventually(lambda: daemon.logged("source.withdrawn"))
        eventually(lambda: lab.sandbox.state()["objects"] == [])

    assert lab.billed() == {}


def test_a_withdrawn_copy_does_not_take_the_other_copys_result_away(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("one"), quick_inbox("two")], batch={"max_wait": "1s"})
    data = lab.drop("talk.mp3", b"twice", inbox="one/inbox")
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("file.uploaded"))
        lab.drop("copy.mp3", b"twice", inbox="two/inbox")
        eventually(lambda: len(daemon.logged("file.taken")) == 2)
        (lab.root / "one/inbox/talk.mp3").unlink()
        eventually((lab.root / "two/done/copy.mp3").exists)

    assert dict(lab.billed()) == {sha256(data): 1}
    assert lab.heard("two/outbox") == {"copy.json": sha256(data)}
    assert lab.heard("one/outbox") == {}


def test_what_was_paid_is_delivered_though_its_source_was_deleted_or_replaced_after_the_submit(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=0.8)
    gone, older = lab.drop("gone.mp3"), lab.drop("a/replaced.mp3")
    with lab.start():
        eventually(lambda: lab.calls("submit") == 1)
        (lab.inbox / "gone.mp3").unlink()
        newer = lab.drop("a/replaced.mp3", b"other content")
        eventually((lab.outbox / "gone.json").exists)
        eventually((lab.done / "a/replaced.mp3").exists)
        eventually((lab.outbox / "a/replaced.mp3.json").exists)

    assert set(lab.heard().values()) == {sha256(gone), sha256(older), sha256(newer)}
    assert lab.heard()["gone.json"] == sha256(gone)
    assert files_below(lab.done) == {"a/replaced.mp3": newer}
    assert files_below(lab.inbox) == {}
    assert dict(lab.billed()) == {sha256(data): 1 for data in (gone, older, newer)}
    lab.assert_nothing_private_is_left()


def test_delete_and_failed_take_only_the_very_file_that_was_heard(lab: Lab) -> None:
    lab.configure({"done": "delete"})
    lab.sandbox.change(task_seconds=0.8)
    lab.drop("talk.mp3")
    lab.drop("bad.mp3", b"BROKEN:FILE_PARSE_FAILED")
    with lab.start() as daemon:
        eventually(lambda: lab.calls("submit") == 1)
        newer = [lab.drop("talk.mp3", b"newer"), lab.drop("bad.mp3", b"mended")]
        eventually(lambda: len(lab.billed()) == 3)
        eventually(lambda: lab.calls("submit") == 2)
        eventually(lambda: len(daemon.logged("file.delivered")) == 3)

    assert {sha256(data) for data in newer} < set(lab.heard().values())
    assert [path for path in files_below(lab.failed) if not path.endswith(".error.json")] == []


def test_a_folder_that_vanished_is_an_alarm_never_made_anew_and_stops_no_other_inbox(lab: Lab) -> None:
    names = ("inbox gone", "outbox gone", "well")
    lab.configure(inboxes=[quick_inbox(name, name=name.replace(" ", "-")) for name in names])
    for name in names:
        lab.drop("first.mp3", inbox=f"{name}/inbox")
    assert lab.run_once().returncode == 0
    (lab.root / "inbox gone/inbox").rename(lab.root / "inbox aside")
    (lab.root / "outbox gone/outbox").rename(lab.root / "outbox aside")
    waits = lab.drop("second.mp3", b"second", inbox="outbox gone/inbox")

    with lab.start() as daemon:
        lab.drop("second.mp3", b"other", inbox="well/inbox")
        eventually((lab.root / "well/done/second.mp3").exists)
        eventually(lambda: len(daemon.logged("scope.opened")) == 2)

        assert not (lab.root / "inbox gone/inbox").exists()
        assert not (lab.root / "outbox gone/outbox").exists()
        assert files_below(lab.root / "outbox gone/inbox") == {"second.mp3": waits}
        assert sorted(lab.billed().values()) == [1] * len(lab.billed())
        eventually(lambda: lab.sandbox.state()["objects"] == [])  # a missing outbox keeps no audio in the cloud

        (lab.root / "inbox aside").rename(lab.root / "inbox gone/inbox")
        (lab.root / "outbox aside").rename(lab.root / "outbox gone/outbox")
        lab.drop("third.mp3", b"third", inbox="inbox gone/inbox")
        eventually((lab.root / "outbox gone/done/second.mp3").exists)
        eventually((lab.root / "inbox gone/done/third.mp3").exists)
        eventually(lambda: len(daemon.logged("scope.closed")) == 2)
        assert daemon.stop() == 0


def test_a_folder_that_vanishes_before_the_first_delivery_is_missed_as_well(lab: Lab) -> None:
    with lab.start() as daemon:
        eventually(lab.failed.is_dir)  # the last of them that is seen
        lab.done.rename(lab.root / "away")
        lab.drop("talk.mp3")
        alarm = f"folder:{lab.done}"
        eventually(lambda: [line for line in daemon.logged("scope.opened") if line["scope"] == alarm])

        assert not lab.done.exists()
        (lab.root / "away").rename(lab.done)
        eventually((lab.done / "talk.mp3").exists)
