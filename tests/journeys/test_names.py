"""What outputs are called, whatever the source is called and whatever stands in the outbox already."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from pytest import Subtests

from dropscribe.render import FORMATS
from lab import Lab, files_below, quick_inbox, sha256

SUFFIXES = ("json", "srt")


def test_two_inboxes_that_share_an_outbox_and_two_sources_of_one_stem_do_not_share_names(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("one", outbox="outbox"), quick_inbox("two", outbox="outbox")])
    said = [lab.drop("talk.mp3", name.encode(), inbox=f"{name}/inbox") for name in ("one", "two")]
    said += [lab.drop(f"stem/talk.{suffix}", inbox="one/inbox") for suffix in ("mp3", "wav")]

    assert lab.run_once().returncode == 0

    heard = lab.heard()
    assert sorted(heard.values()) == sorted(map(sha256, said))
    assert {"talk.json", "talk.mp3.json", "stem/talk.json"} < set(heard)
    [longer] = set(heard) - {"talk.json", "talk.mp3.json", "stem/talk.json"}
    assert longer in ("stem/talk.mp3.json", "stem/talk.wav.json")
    assert lab.transcript(longer)["source"]["name"] == longer.removesuffix(".json")
    assert set(lab.outputs()) == {path.removesuffix("json") + suffix for path in heard for suffix in SUFFIXES}


def test_no_source_gets_the_name_of_another_ones_output_whatever_formats_are_wanted(lab: Lab) -> None:
    lab.configure({"outputs": list(FORMATS)})
    said = {name: lab.drop(name, name.encode()) for name in ("talk.mp3", "talk.funasr.mp3", "talk.verbose.wav")}

    assert lab.run_once().returncode == 0

    bodies = {name: json.loads((lab.outbox / name).read_text()) for name in lab.outputs() if name.endswith(".json")}
    ours = {body["source"]["name"]: name for name, body in bodies.items() if "schema" in body}
    assert {source: bodies[name]["source"]["sha256"] for source, name in ours.items()} == {
        name: sha256(content) for name, content in said.items()
    }
    for name in ours.values():
        stem = name.removesuffix(".json")
        assert {f"{stem}.{format.suffix}" for format in FORMATS.values()} <= set(lab.outputs())
        assert "transcripts" in bodies[f"{stem}.funasr.json"]
        assert bodies[f"{stem}.verbose.json"]["task"] == "transcribe"
    assert len(lab.outputs()) == len(said) * len(FORMATS)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_text(path: Path) -> None:
    path.write_bytes(b"a person's own")


Case = tuple[list[str], Callable[[Path], None], str]
FOREIGN: dict[str, Case] = {
    "its json": (["talk.json"], a_text, r"talk\.mp3"),
    "its srt": (["talk.srt"], a_text, r"talk\.mp3"),
    "a folder": (["talk.json"], a_folder, r"talk\.mp3"),
    "a dangling link": (["talk.srt"], a_dangling_link, r"talk\.mp3"),
    "both stems": (["talk.json", "talk.mp3.srt"], a_text, r"talk\.mp3~[0-9a-f]{8}"),
    "both stems the other way": (["talk.srt", "talk.mp3.json"], a_text, r"talk\.mp3~[0-9a-f]{8}"),
}


def test_the_whole_set_steps_aside_for_any_name_that_is_not_ours(lab: Lab, subtests: Subtests) -> None:
    standing: dict[str, list[os.stat_result]] = {}
    said = {}
    for case, (names, make, _) in FOREIGN.items():
        folder = lab.outbox / case
        folder.mkdir(parents=True)
        for name in names:
            make(folder / name)
        standing[case] = [os.lstat(folder / name) for name in names]
        said[case] = lab.drop(f"{case}/talk.mp3")

    assert lab.run_once().returncode == 0

    for case, (names, _, stem) in FOREIGN.items():
        with subtests.test(case):
            folder = lab.outbox / case
            after = [os.lstat(folder / name) for name in names]
            assert [_facts(one) for one in after] == [_facts(one) for one in standing[case]]
            assert all((folder / n).read_bytes() == b"a person's own" for n in names if (folder / n).is_file())
            ours = sorted(set(os.listdir(folder)) - set(names))
            assert len(ours) == 2
            assert all(re.fullmatch(rf"{stem}\.(json|srt)", name) for name in ours), ours
            assert len({name.rpartition(".")[0] for name in ours}) == 1, ours
            assert lab.transcript(f"{case}/{ours[0]}")["source"]["sha256"] == sha256(said[case])


def _facts(stat: os.stat_result) -> tuple[int, ...]:
    return (stat.st_ino, stat.st_mtime_ns, stat.st_size, stat.st_mode)


def test_a_source_never_replaces_what_stands_in_done_or_failed(lab: Lab) -> None:
    theirs = {
        lab.done / "talk.mp3": b"theirs",
        lab.failed / "bad.mp3": b"theirs",
        lab.failed / "worse.mp3.error.json": b"theirs",
    }
    for path, content in theirs.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (lab.done / "talk~2.mp3").mkdir()
    talk = lab.drop("talk.mp3")
    bad, worse = lab.drop("bad.mp3", b"BROKEN:DECODE_ERROR"), lab.drop("worse.mp3", b"BROKEN:FILE_PARSE_FAILED")

    assert lab.run_once().returncode == 2

    assert {path: path.read_bytes() for path in theirs} == theirs
    assert (lab.done / "talk~3.mp3").read_bytes() == talk
    assert (lab.failed / "bad~2.mp3").read_bytes() == bad
    assert (lab.failed / "bad~2.mp3.error.json").exists()
    assert (lab.failed / "worse~2.mp3").read_bytes() == worse
    assert (lab.failed / "worse~2.mp3.error.json").exists()


LONG = b"x" * 251
WIDE = "长".encode() * 83 + b"12"
ODD: dict[bytes, tuple[bytes | None, str | None]] = {
    b"new\nline.mp3": (b"new\nline", None),
    b"not utf-8 \xff\xfe.mp3": (b"not utf-8 \xff\xfe", r"not utf-8 \xff\xfe.mp3"),
    b"folder \xe9/inside.mp3": (b"folder \xe9/inside", r"folder \xe9/inside.mp3"),
    b"-rf.mp3": (b"-rf", "-rf.mp3"),
    b"  spaces  .mp3": (b"  spaces  ", "  spaces  .mp3"),
    "🎤 会议.mp3".encode(): ("🎤 会议".encode(), "🎤 会议.mp3"),
    b'it\'s "quoted" `$HOME`.mp3': (b'it\'s "quoted" `$HOME`', 'it\'s "quoted" `$HOME`.mp3'),
    b"%41?x=1&y#z.mp3": (b"%41?x=1&y#z", "%41?x=1&y#z.mp3"),
    b"back\\slash;*[a].mp3": (b"back\\slash;*[a]", "back\\slash;*[a].mp3"),
    b"LOUD.MP3": (b"LOUD", "LOUD.MP3"),
    b"clear \x1b[2J\x07 the screen.mp3": (b"clear \x1b[2J\x07 the screen", r"clear \x1b[2J\x07 the screen.mp3"),
    "turned \u202egnp round.mp3".encode(): ("turned \u202egnp round".encode(), "turned \u202egnp round.mp3"),
    b"<script>alert('&amp;')<.mp3": (b"<script>alert('&amp;')<", "<script>alert('&amp;')<.mp3"),
    b"$(reboot) | rm -rf ~ && :.mp3": (b"$(reboot) | rm -rf ~ && :", "$(reboot) | rm -rf ~ && :.mp3"),
    b"--config=x.mp3": (b"--config=x", "--config=x.mp3"),
    b"dots.in.name.mp3": (b"dots.in.name", "dots.in.name.mp3"),
    LONG + b".mp3": (None, None),
    WIDE + b".mp3": (None, None),
}
"""The stem of the outputs (None: shortened), and how the JSON shows the name (None: not promised)."""


def test_any_name_that_the_kernel_allows_is_delivered(lab: Lab, subtests: Subtests) -> None:
    contents = {name: lab.drop(name, b"sound of " + name[:40] * 5) for name in ODD}
    lab.drop(LONG + b".wav", b"BROKEN:FILE_PARSE_FAILED")

    ran = lab.run_once()
    assert ran.returncode == 2, ran.stderr

    found = {sha: os.fsencode(path) for path, sha in lab.heard().items()}
    for name, (stem, shown) in ODD.items():
        with subtests.test(repr(name[:20])):
            assert not os.path.lexists(os.path.join(os.fsencode(lab.inbox), name))
            assert Path(os.fsdecode(os.path.join(os.fsencode(lab.done), name))).read_bytes() == contents[name]
            path = found[sha256(contents[name])]
            assert (lab.outbox / os.fsdecode(path.removesuffix(b"json") + b"srt")).exists()
            if stem is None:
                path.decode()  # not cut within a character
                assert re.fullmatch(rb".+~[0-9a-f]{8}\.json", path)
                assert name.startswith(path[: -len(b"~12345678.json")])
            else:
                assert path == stem + b".json"
            if shown is not None:
                assert lab.transcript(os.fsdecode(path))["source"]["name"] == shown

    with subtests.test("the error file of a name of 255 bytes is shortened"):
        [error] = set(files_below(lab.failed)) - {os.fsdecode(LONG + b".wav")}
        assert re.fullmatch(r"x+~[0-9a-f]{8}\.error\.json", error)

    with subtests.test("a name that is not UTF-8 is escaped in the log"):
        assert r'"folder \\xe9/inside.mp3"' in ran.stderr
