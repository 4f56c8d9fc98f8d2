"""The only act that costs: whatever becomes of a submit, each content is billed once."""

from lab import Lab, eventually, files_below, quick_inbox, sha256

MODELS = ("fun-asr", "fun-asr-mtl", "fun-asr-2025-11-07")
"""A fault strikes the submits of one model; each has an inbox of its own. The last is a snapshot of the first."""


def an_inbox_a_model(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox(model, name=model, model=model) for model in MODELS])


def test_submits_whose_answers_were_lost_are_adopted(lab: Lab) -> None:
    """The connection was cut, a gateway's page came, or half an answer."""
    an_inbox_a_model(lab)
    for model, does in zip(MODELS, ("lost", "not_json", "truncate"), strict=True):
        lab.sandbox.inject("submit", does, model=model, times=1)
    files = [lab.drop(f"{n}.mp3", f"{n} {m}".encode(), inbox=f"{m}/inbox") for m in MODELS for n in range(2)]

    assert lab.run_once().returncode == 0

    assert lab.calls("submit") == 3
    assert dict(lab.billed()) == {sha256(data): 1 for data in files}
    assert {sha for model in MODELS for sha in lab.heard(f"{model}/outbox").values()} == set(lab.billed())
    lab.assert_bucket_is_empty()


def test_submits_that_never_arrived_are_sent_again_under_new_keys_after_the_grace(lab: Lab) -> None:
    """The connection was cut before anything was done, or the service broke down."""
    an_inbox_a_model(lab)
    lab.sandbox.inject("submit", "drop", model="fun-asr-mtl", times=1)
    lab.sandbox.inject("submit", "error", status=500, model="fun-asr-2025-11-07", times=1)
    files = [lab.drop("talk.mp3", model.encode(), inbox=f"{model}/inbox") for model in MODELS[1:]]
    with lab.start():
        eventually(lambda: lab.calls("submit") == 2)
        first = lab.sandbox.state()
        for model in MODELS[1:]:
            eventually((lab.root / model / "done/talk.mp3").exists)
        eventually(lambda: lab.sandbox.state()["objects"] == [])

    assert lab.calls("submit") == 4
    assert dict(lab.billed()) == {sha256(data): 1 for data in files}
    for entry in lab.sandbox.state()["book"]:
        assert entry["time"] - first["now"] >= 0.2
        assert [stored["key"] for stored in first["objects"] if stored["key"] in entry["file"]] == []


def test_a_429_quiets_the_submits_as_long_as_it_says_and_charges_no_file(lab: Lab) -> None:
    lab.configure(retry={"attempts": 1})
    lab.sandbox.inject("submit", "error", status=429, code="Throttling.RateQuota", retry_after=1, times=1)
    began = lab.sandbox.state()["now"]
    lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    [task] = lab.sandbox.state()["tasks"]
    assert task["created"] - began >= 1
    assert lab.calls("submit") == 2
    assert set(lab.outputs()) == {"talk.json", "talk.srt"}


def test_results_are_collected_while_submits_are_shut(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=1.0)
    paid = lab.drop("paid.mp3")
    with lab.start() as daemon:
        eventually(lambda: lab.calls("submit") == 1)
        lab.sandbox.inject("submit", "error", status=400, code="Arrearage")
        waits = lab.drop("waits.mp3")
        eventually(lambda: lab.calls("submit") >= 2)
        eventually((lab.done / "paid.mp3").exists)

        assert files_below(lab.inbox) == {"waits.mp3": waits}
        assert [event["code"] for event in daemon.logged("scope.opened")] == ["Arrearage"]

        lab.sandbox.clear_faults()
        eventually((lab.done / "waits.mp3").exists)
        assert daemon.stop() == 0

    assert dict(lab.billed()) == {sha256(paid): 1, sha256(waits): 1}
    assert files_below(lab.failed) == {}


def test_settings_that_the_service_refuses_are_no_fault_of_the_files(lab: Lab) -> None:
    lab.sandbox.inject("submit", "error", status=400, code="InvalidParameter", message="parameters.x is wrong")
    files = {path: lab.drop(path) for path in ("a.mp3", "b.mp3", "c.mp3")}

    stuck = lab.run_once(patience="300ms")
    assert stuck.returncode == 1
    assert files_below(lab.inbox) == files
    assert files_below(lab.failed) == {}

    lab.sandbox.clear_faults()
    assert lab.run_once().returncode == 0
    assert files_below(lab.done) == files


def test_an_account_that_takes_one_url_a_task_is_found_out_and_remembered(lab: Lab) -> None:
    lab.sandbox.inject("submit", "one_url")
    files = [lab.drop(f"{n}.mp3") for n in range(4)]
    assert lab.run_once().returncode == 0
    statuses = lab.sandbox.state()["calls"]["submit"]["statuses"]
    assert statuses["200"] == 4
    assert statuses["400"] <= 2

    files += [lab.drop(f"second {n}.mp3") for n in range(3)]
    assert lab.run_once().returncode == 0

    after = lab.sandbox.state()["calls"]["submit"]["statuses"]
    assert after == {"200": 7, "400": statuses["400"]}
    assert dict(lab.billed()) == {sha256(data): 1 for data in files}


def test_an_account_that_answers_only_the_first_url_of_a_task_is_found_out(lab: Lab) -> None:
    lab.configure(model_studio={"max_urls_per_task": 4}, batch={"max_wait": "5s"})
    lab.sandbox.inject("submit", "first_only")
    files = [lab.drop(f"{n}.mp3") for n in range(12)]

    assert lab.run_once().returncode == 0

    assert dict(lab.billed()) == {sha256(data): 1 for data in files}
    assert files_below(lab.failed) == {}


def test_tasks_that_the_service_drops_are_bought_again_once_and_then_given_up(lab: Lab) -> None:
    lab.sandbox.inject("query", "unknown")
    lab.sandbox.inject("list", "hide")
    data = lab.drop("talk.mp3")

    assert lab.run_once().returncode == 2

    assert lab.calls("submit") == 2
    assert set(files_below(lab.failed)) == {"talk.mp3", "talk.mp3.error.json"}
    assert files_below(lab.failed)["talk.mp3"] == data
    lab.assert_bucket_is_empty()


def test_once_finishes_its_own_files_before_it_gives_up_on_those_of_another_account(lab: Lab) -> None:
    lab.sandbox.change(other_accounts={"sk-new": "another"}, task_seconds=3.0)
    lab.drop("theirs.mp3")
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("batch.submitted"))
        assert daemon.stop() == 0
    lab.configure(model_studio={"api_key": "sk-new"})
    lab.drop("own.mp3")

    ran = lab.run_once(patience="1s")

    assert ran.returncode == 1
    assert set(lab.heard()) == {"own.json"}
    assert lab.calls("submit") == 2
