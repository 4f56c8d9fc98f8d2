"""A recognition that succeeded is never bought again while its result is kept."""

from pytest import Subtests

from lab import Lab, eventually, files_below, quick_inbox, sha256

SPOKEN = b"said once, filed often"


def test_a_recognition_is_a_content_a_model_and_settings_and_is_billed_once(lab: Lab) -> None:
    hints = {"diarization_enabled": True, "language_hints": ["zh"]}
    recipes = {
        "plain": {},
        "same": {},
        "model": {"model": "fun-asr-mtl"},
        "hints": {"recognition": hints},
        "turned": {"recognition": dict(reversed(hints.items()))},  # the order in which they are written: the same
        "value": {"recognition": hints | {"language_hints": ["en"]}},
    }
    lab.configure(inboxes=[quick_inbox(name, **recipe) for name, recipe in recipes.items()])
    for name in recipes:
        lab.drop("talk.mp3", SPOKEN, inbox=f"{name}/inbox")
        lab.drop("a/copy.wav", SPOKEN, inbox=f"{name}/inbox")

    assert lab.run_once().returncode == 0

    assert dict(lab.billed()) == {sha256(SPOKEN): 4}
    assert lab.calls("put") == 4
    for name in recipes:
        assert lab.heard(f"{name}/outbox") == {"talk.json": sha256(SPOKEN), "a/copy.json": sha256(SPOKEN)}
        assert set(files_below(lab.root / name / "done")) == {"talk.mp3", "a/copy.wav"}


def test_a_file_that_joins_a_recognition_in_flight_is_free(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=1.0)
    lab.drop("talk.mp3", SPOKEN)
    with lab.start():
        eventually(lambda: lab.calls("submit") == 1)
        lab.drop("joins.mp3", SPOKEN)
        eventually((lab.done / "joins.mp3").exists)
        eventually((lab.done / "talk.mp3").exists)

    assert dict(lab.billed()) == {sha256(SPOKEN): 1}
    assert lab.heard() == {"talk.json": sha256(SPOKEN), "joins.json": sha256(SPOKEN)}


def test_what_comes_again_another_day(lab: Lab, subtests: Subtests) -> None:
    first = {f"{case}/talk.mp3": lab.drop(f"{case}/talk.mp3") for case in ("known", "same", "other", "edited", "gone")}
    assert lab.run_once().returncode == 0
    (lab.outbox / "edited/talk.srt").write_bytes(b"corrected by hand")
    (lab.outbox / "gone/talk.srt").unlink()
    before = lab.outputs()

    lab.drop("known/under another name.wav", first["known/talk.mp3"])
    lab.drop("same/talk.mp3", first["same/talk.mp3"])
    lab.drop("edited/talk.mp3", first["edited/talk.mp3"])
    lab.drop("gone/talk.mp3", first["gone/talk.mp3"])
    other = lab.drop("other/talk.mp3", b"something else")
    assert lab.run_once().returncode == 0

    after, heard, done = lab.outputs(), lab.heard(), files_below(lab.done)

    with subtests.test("only content that was never heard is uploaded, submitted and billed"):
        assert dict(lab.billed()) == {sha256(data): 1 for data in (*first.values(), other)}
        assert (lab.calls("put"), lab.calls("submit")) == (6, 2)

    with subtests.test("known content under another name gets its own outputs"):
        assert heard["known/under another name.json"] == sha256(first["known/talk.mp3"])
        named = lab.transcript("known/under another name.json")["source"]["name"]
        assert named == "known/under another name.wav"

    with subtests.test("the same file under its own name keeps its outputs, and its source is numbered"):
        assert {path for path in after if path.startswith("same/")} == {"same/talk.json", "same/talk.srt"}
        assert heard["same/talk.json"] == sha256(first["same/talk.mp3"])
        assert done["same/talk.mp3"] == done["same/talk~2.mp3"] == first["same/talk.mp3"]

    with subtests.test("other content under a known name is another source"):
        names = {f"other/talk{infix}.{suffix}" for infix in ("", ".mp3") for suffix in ("json", "srt")}
        assert {path for path in after if path.startswith("other/")} == names
        assert heard["other/talk.json"] == sha256(first["other/talk.mp3"])
        assert heard["other/talk.mp3.json"] == sha256(other)
        assert (done["other/talk.mp3"], done["other/talk~2.mp3"]) == (first["other/talk.mp3"], other)

    with subtests.test("an output that a person edited counts as foreign"):
        assert heard["edited/talk.mp3.json"] == sha256(first["edited/talk.mp3"])

    with subtests.test("an output that was deleted stands again"):
        assert {path for path in after if path.startswith("gone/")} == {"gone/talk.json", "gone/talk.srt"}

    with subtests.test("no output of the day before is touched"):
        assert {path: after[path] for path in before} == before
