"""A library that keeps its sources, met with a ledger that knows nothing."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from disks import small_disk
from dropscribe.sandbox import running_sandbox
from lab import FAST, Lab, eventually, sha256


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Lab]:
    """Two delivered files in keep mode; then the state folder is lost."""
    with running_sandbox(FAST) as sandbox:
        lab = Lab(tmp_path, sandbox)
        lab.configure({"done": "keep"})
        lab.drop("a.mp3")
        lab.drop("b/c.mp3")
        assert lab.run_once().returncode == 0
        shutil.rmtree(lab.state)
        yield lab


def test_outputs_of_the_same_content_and_settings_are_adopted_and_nothing_is_bought(library: Lab) -> None:
    before = library.outputs()

    assert library.run_once().returncode == 0

    assert library.calls("submit") == 1
    assert library.outputs() == before


def test_other_content_is_bought_and_the_old_outputs_stay_untouched(library: Lab) -> None:
    before = library.outputs()
    library.drop("a.mp3", b"rewritten while the state was lost")

    assert library.run_once().returncode == 0

    after = library.outputs()
    assert library.calls("submit") == 2
    assert {name: after[name] for name in before} == before
    assert json.loads(after["a.mp3.json"])["source"]["size"] == len(b"rewritten while the state was lost")


def test_other_settings_are_bought(library: Lab) -> None:
    library.configure({"done": "keep", "recognition": {"language_hints": ["zh"]}})

    assert library.run_once().returncode == 0

    assert library.calls("submit") == 2


def test_an_adopted_file_that_is_rewritten_replaces_its_own_outputs(library: Lab) -> None:
    assert library.run_once().returncode == 0
    library.drop("a.mp3", b"rewritten after it was adopted")

    assert library.run_once().returncode == 0

    assert set(library.outputs()) == {"a.json", "a.srt", "b/c.json", "b/c.srt"}
    assert json.loads(library.outputs()["a.json"])["source"]["size"] == len(b"rewritten after it was adopted")


def test_a_format_that_was_added_is_rendered_from_the_transcript_and_nothing_is_bought(library: Lab) -> None:
    before = library.outputs()
    library.configure({"done": "keep", "outputs": ["json", "srt", "vtt", "raw"]})

    assert library.run_once().returncode == 0

    after = library.outputs()
    assert library.calls("submit") == 1
    assert set(after) == {*before, "a.vtt", "b/c.vtt"}
    assert {name: after[name] for name in before} == before
    assert after["a.vtt"].startswith(b"WEBVTT")
    assert len(library.ledger("SELECT * FROM output")) == 6
    library.assert_nothing_private_is_left()


def test_what_a_person_has_edited_or_put_there_is_never_replaced(library: Lab) -> None:
    library.configure({"done": "keep", "outputs": ["json", "srt", "vtt"]})
    (library.outbox / "a.srt").write_bytes(b"corrected by hand")
    (library.outbox / "b/c.vtt").write_bytes(b"WEBVTT\n\nby hand")
    assert library.run_once().returncode == 0
    library.drop("a.mp3", b"rewritten after it was adopted")
    library.drop("b/c.mp3", b"this one too was rewritten")

    assert library.run_once().returncode == 0

    assert library.calls("submit") == 2
    outputs = library.outputs()
    assert outputs["a.srt"] == b"corrected by hand"
    assert outputs["b/c.vtt"] == b"WEBVTT\n\nby hand"
    assert {"a.mp3.json", "a.mp3.srt", "a.mp3.vtt", "b/c.mp3.json"} <= set(outputs)


def test_a_transcript_behind_a_linked_folder_is_read_and_nothing_is_bought(library: Lab) -> None:
    (library.outbox / "b").rename(library.root / "archive")
    (library.outbox / "b").symlink_to(library.root / "archive")

    assert library.run_once().returncode == 0

    assert library.calls("submit") == 1
    assert len(library.ledger("SELECT * FROM media WHERE state = 'delivered'")) == 2


def test_a_file_whose_transcript_cannot_be_read_waits_while_others_go_on_and_is_adopted_later(library: Lab) -> None:
    (library.outbox / "b").rename(library.root / "archive")
    (library.outbox / "b").symlink_to(library.root / "away")

    with library.start() as daemon:
        eventually(lambda: daemon.logged("scope.opened"))
        new = library.drop("new.mp3")
        eventually(lambda: daemon.logged("file.delivered"))
        assert [line["path"] for line in daemon.logged("file.adopted")] == ["a.mp3"]
        assert library.billed()[sha256(new)] == 1
        status = json.loads(library.call("status", "--json").stdout)
        (alarm,) = status["inboxes"][0]["alarms"]
        assert "b/c.mp3" in alarm["message"] and "b/c.json" in alarm["message"]
        (library.root / "archive").rename(library.root / "away")
        eventually(lambda: [line for line in daemon.logged("file.adopted") if line["path"] == "b/c.mp3"])
        eventually(lambda: daemon.logged("scope.closed"))

    assert set(library.billed().values()) == {1}
    assert library.calls("submit") == 2


def test_while_the_outbox_is_missing_what_may_have_been_paid_waits(library: Lab) -> None:
    library.configure({"done": "keep", "exclude": ["b/*"]})
    assert library.run_once().returncode == 0
    library.configure({"done": "keep"})
    library.outbox.rename(library.root / "away")

    assert library.run_once(patience="1s").returncode == 1
    assert not library.outbox.exists()
    (library.root / "away").rename(library.outbox)
    assert library.run_once().returncode == 0

    assert library.calls("submit") == 1
    assert len(library.ledger("SELECT * FROM media WHERE state = 'delivered'")) == 2


def test_a_full_outbox_does_not_keep_what_was_paid_from_being_adopted(library: Lab) -> None:
    library.configure({"done": "keep", "outputs": ["json", "srt", "vtt"]})
    before = library.outputs()
    with small_disk(library.outbox, "1m"):
        for name, content in before.items():
            (library.outbox / name).parent.mkdir(exist_ok=True)
            (library.outbox / name).write_bytes(content)
        fill(library.outbox / "ballast")

        assert library.run_once(patience="2s").returncode == 0

    assert library.calls("submit") == 1
    assert len(library.ledger("SELECT * FROM media WHERE state = 'delivered'")) == 2


def fill(path: Path) -> None:
    """Leave no room on the disk of `path`."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
