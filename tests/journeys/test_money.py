"""What a plausible design would pay for twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.sandbox import running_sandbox
from lab import FAST, Lab, eventually, files_below


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running_sandbox(FAST) as sandbox:
        yield Lab(tmp_path, sandbox)


def test_finished_tasks_that_never_mention_their_files_are_bounded(lab: Lab) -> None:
    lab.configure(model_studio={"poll": {"longest": "100ms"}}, retry={"first_wait": "10ms", "longest_wait": "50ms"})
    lab.sandbox.inject("query", "missing", key="dropscribe/")
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(3)}

    assert lab.run_once().returncode == 2

    assert max(lab.billed().values()) <= 3, "one purchase, and two further tries"
    assert set(files_below(lab.failed)) >= set(files)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_result_address_that_cannot_have_expired_is_asked_again_and_not_paid_again(
    lab: Lab, status: int
) -> None:
    lab.sandbox.inject("result", "error", status=status, code="AccessDenied", times=6)
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(3)}

    assert lab.run_once().returncode == 0

    assert set(lab.billed().values()) == {1}
    assert files_below(lab.done) == files


def test_a_task_that_is_unknown_now_and_then_is_not_bought_again(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=2.0)
    lab.sandbox.inject("list", "hide")
    for skip in (0, 3, 6):
        lab.sandbox.inject("query", "unknown", times=1, skip=skip)
    files = {"a.mp3": lab.drop("a.mp3")}

    assert lab.run_once().returncode == 0

    assert set(lab.billed().values()) == {1}
    assert files_below(lab.done) == files


def test_settings_that_the_service_refuses_hold_up_no_other_inbox_of_the_same_model(lab: Lab) -> None:
    bad = {"name": "bad", "inbox": "bad/inbox", "recognition": {"vocabulary_id": "vocab-deleted"}}
    good = {"name": "good", "inbox": "good/inbox"}
    quick = {"settle": "100ms", "rescan": "500ms"}
    lab.configure(inboxes=[{**bad, **quick}, {**good, **quick}])
    for name in ("bad", "good"):
        (lab.root / name / "inbox").mkdir(parents=True)
    for n in range(4):
        (lab.root / "bad/inbox" / f"{n}.mp3").write_bytes(b"bad %d" % n)
    lab.sandbox.inject("submit", "error", status=400, code="InvalidParameter")

    with lab.start() as daemon:
        eventually(lambda: [line for line in daemon.logged("scope.opened") if line["scope"].startswith("recipe:")])
        lab.sandbox.clear_faults()
        lab.sandbox.inject("submit", "error", status=400, code="InvalidParameter", times=1)
        (lab.root / "good/inbox" / "talk.mp3").write_bytes(b"good")
        eventually((lab.root / "good/done/talk.mp3").exists)

        assert daemon.stop() == 0
    assert not (lab.root / "bad/failed").exists() or files_below(lab.root / "bad/failed") == {}
