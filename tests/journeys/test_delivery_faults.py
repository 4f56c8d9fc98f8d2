"""What goes wrong at delivery goes wrong for one file, or one folder, alone."""

import json
import os
import shutil
from pathlib import Path

from lab import Lab, eventually, files_below, quick_inbox, sha256

BROKEN = b"BROKEN:FILE_PARSE_FAILED"
PAIR = ("one", "two")


def sharing(lab: Lab, folder: str) -> None:
    lab.configure(inboxes=[quick_inbox(name, name=name, **{folder: "shared"}) for name in PAIR])


def test_two_inboxes_with_one_outbox_never_touch_each_others_outputs(lab: Lab) -> None:
    sharing(lab, "outbox")
    wanted = {
        sha256(lab.drop(f"{n}.mp3", f"{name} {n}".encode(), inbox=f"{name}/inbox")) for n in range(40) for name in PAIR
    }

    assert lab.run_once("20s").returncode == 0

    found = set(files_below(lab.root / "shared"))
    transcripts = lab.heard("shared")
    assert set(transcripts.values()) == wanted
    assert found == {path for name in transcripts for path in (name, f"{name.removesuffix('.json')}.srt")}


def test_two_inboxes_with_one_failed_folder_keep_their_reasons_apart(lab: Lab) -> None:
    sharing(lab, "failed")
    for n in range(40):
        for name in PAIR:  # each with a code of its own: many with one code would be a fault of the service
            lab.drop(f"{n}.mp3", BROKEN + f"_{name}_{n} {name} {n}".encode(), inbox=f"{name}/inbox")

    assert lab.run_once("20s").returncode == 2

    found = files_below(lab.root / "shared")
    reasons = {path: json.loads(found[path]) for path in found if path.endswith(".error.json")}
    told = {(reason["inbox"], reason["source"]) for reason in reasons.values()}
    assert told == {(name, f"{n}.mp3") for n in range(40) for name in PAIR}
    for path, reason in reasons.items():
        source = found[path.removesuffix(".error.json")].decode().partition(" ")[2]
        assert source == f"{reason['inbox']} {reason['source'].removesuffix('.mp3')}"


def test_outputs_whose_path_is_longer_than_the_kernel_takes_at_once_are_delivered_and_replaced(lab: Lab) -> None:
    lab.configure({"outbox": "/".join(["o" * 200] * 14), "done": "keep"})
    long = "/".join(["d" * 200] * 7) + "/long.mp3"  # with the outbox more than the 4095 bytes that a path may have
    lab.drop("short.mp3")
    for content in (b"first", b"rewritten"):
        lab.drop(long, content)
        assert lab.run_once().returncode == 0

    outputs = [name for _, _, names, _ in os.fwalk(lab.root / ("o" * 200)) for name in names]
    assert sorted(outputs) == ["long.json", "long.srt", "short.json", "short.srt"]
    assert lab.call("status", str(lab.inbox / long)).returncode == 0


def test_files_that_wait_for_a_missing_failed_folder_do_not_hold_up_those_that_are_delivered(lab: Lab) -> None:
    lab.drop("first.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    shutil.rmtree(lab.failed)
    with lab.start() as daemon:
        for n in range(70):
            lab.drop(f"bad{n}.mp3", BROKEN + str(n).encode())
        eventually(lambda: any("failed" in line["scope"] for line in daemon.logged("scope.opened")))
        eventually(lambda: lab.calls("delete") >= 70 or not lab.sandbox.state()["objects"])
        lab.drop("good.mp3")
        eventually((lab.done / "good.mp3").exists)
        Path(lab.failed).mkdir()
        eventually(lambda: len(files_below(lab.failed)) == 140)


def test_a_missing_failed_folder_does_not_let_a_kept_library_be_bought_again(lab: Lab) -> None:
    lab.configure({"done": "keep"})
    lab.drop("bad.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    submits = lab.calls("submit")
    shutil.rmtree(lab.failed)

    lab.run_once("1s")

    assert lab.calls("submit") == submits


def test_one_result_that_nothing_can_be_made_of_holds_nobody_up(lab: Lab) -> None:
    lab.drop("first.mp3")
    assert lab.run_once().returncode == 0
    shutil.rmtree(lab.outbox)
    names = {f"{n}.mp3" for n in range(8)}
    for name in sorted(names):
        lab.drop(name)
    assert lab.run_once("1s").returncode == 1
    lab.ledger(
        "UPDATE result SET body = substr(body, 1, 20) WHERE recognition_id ="
        " (SELECT min(recognition_id) FROM media WHERE state IN ('due', 'delivering'))"
    )
    lab.outbox.mkdir()

    with lab.start() as daemon:
        eventually(lambda: len(files_below(lab.done)) == 8)
        eventually(lambda: daemon.logged("deliver.bug"))
        assert len(set(files_below(lab.inbox))) == 1
