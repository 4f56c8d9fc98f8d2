"""Outputs of a library that the ledger does not know: whose they are, what is missing, and what is left alone."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropscribe.adopt import CannotTell, OwnSet, adopted, own_outputs
from dropscribe.config.settings import InboxSettings
from dropscribe.errors import OutOfOrder
from dropscribe.ledger.rows import NewMedia, PlannedOutput
from dropscribe.model import Document, Fingerprint, Look
from dropscribe.names import output_names
from dropscribe.render import FORMATS, render_all, suffix_of
from dropscribe.render.profiles import Subtitles
from dropscribe.transcript import parse
from examples import inbox_settings
from plain_user import plain_user_folder

SHA256 = "0f" * 32
WORDS = Path(__file__).parent / "words"
RAW = (WORDS / "zh_talk_mix.funasr.json").read_bytes()


def two_channels() -> bytes:
    sentence: dict[str, Any] = {"begin_time": 100, "end_time": 1500, "text": "Yes.", "sentence_id": 1, "words": []}
    channels = [{"channel_id": channel, "text": "Yes.", "sentences": [sentence]} for channel in (0, 1)]
    return json.dumps({"transcripts": channels}).encode()


def library(root: Path, *outputs: str, **subtitles: Any) -> InboxSettings:
    (root / "outbox").mkdir(exist_ok=True)
    return inbox_settings(root, done="keep", outputs=outputs or ("json", "srt"), subtitles=Subtitles(**subtitles))


def talk(inbox: InboxSettings, sha256: str = SHA256) -> NewMedia:
    return NewMedia(b"talk.mp3", Fingerprint(Look(5, 1, 1), sha256, 0), inbox.recipe, "mp3", 0)


def deliver(inbox: InboxSettings, *outputs: str, raw: bytes = RAW, stem: str = "talk") -> dict[str, Path]:
    """Outputs as an earlier daemon wrote them; their paths."""
    document = Document("talk.mp3", 5, SHA256, "fun-asr", {}, "t-1", parse(raw), raw)
    texts = render_all(document, outputs or inbox.outputs, inbox.presentation).texts
    paths = {name: inbox.outbox / f"{stem}.{suffix_of(name)}" for name in texts}
    for name, path in paths.items():
        path.write_bytes(texts[name])
    return paths


def own(inbox: InboxSettings) -> OwnSet:
    found = own_outputs(inbox, talk(inbox))
    assert found is not None
    return found


def names(outputs: tuple[PlannedOutput, ...]) -> set[str]:
    return {planned.format for planned in outputs}


def standing(inbox: InboxSettings) -> set[str]:
    return set(os.listdir(inbox.outbox))


def test_outputs_of_every_format_are_known_again_as_our_own(tmp_path: Path) -> None:
    inbox = library(tmp_path, *FORMATS)
    paths = deliver(inbox)

    outputs = adopted(inbox, own(inbox))

    assert {planned.path for planned in outputs} == {os.fsencode(path) for path in paths.values()}


@pytest.mark.parametrize("other", ["", "{}", '{"schema": "somebody.else/1"}', "[1, 2"])
def test_a_json_that_is_not_ours_says_nothing(tmp_path: Path, other: str) -> None:
    inbox = library(tmp_path)
    deliver(inbox)["json"].write_text(other)

    assert own_outputs(inbox, talk(inbox)) is None


def test_other_content_and_other_settings_are_other_recognitions(tmp_path: Path) -> None:
    inbox = library(tmp_path)
    deliver(inbox)

    assert own_outputs(inbox, talk(inbox, "ab" * 32)) is None
    assert own_outputs(library(tmp_path, "srt"), talk(inbox)) is None


def test_a_set_that_stepped_aside_is_found_under_its_second_name(tmp_path: Path) -> None:
    inbox = library(tmp_path)
    deliver(inbox, stem="talk.mp3")
    (inbox.outbox / "talk.json").write_text("{}")

    assert own(inbox).transcript.path.endswith(b"/talk.mp3.json")


@pytest.mark.parametrize("length", [240, 247, 250])
def test_a_set_of_a_name_as_long_as_a_name_can_be_is_found_as_it_was_delivered(tmp_path: Path, length: int) -> None:
    inbox = library(tmp_path, channel_files=True)
    new = replace(talk(inbox), path=b"x" * length + b".mp3")
    document = Document("x.mp3", 5, SHA256, "fun-asr", {}, "t-1", parse(two_channels()))
    texts = render_all(document, inbox.outputs, inbox.presentation).texts
    for name, path in zip(texts, output_names(new.path, [(n, suffix_of(n)) for n in texts], 0, b""), strict=True):
        (inbox.outbox / os.fsdecode(path)).write_bytes(texts[name])
    before = standing(inbox)

    found = own_outputs(inbox, new)

    assert found is not None
    assert names(adopted(inbox, found)) == set(texts)
    assert standing(inbox) == before


def test_what_is_missing_is_rendered_from_the_transcript_but_for_the_services_own_answer(tmp_path: Path) -> None:
    inbox = library(tmp_path, *FORMATS)
    deliver(inbox, "json")

    outputs = adopted(inbox, own(inbox))

    assert names(outputs) == set(FORMATS) - {"raw"}
    assert standing(inbox) == {f"talk.{suffix_of(name)}" for name in set(FORMATS) - {"raw"}}


def test_files_of_channels_belong_to_the_set_where_they_are_wanted(tmp_path: Path) -> None:
    inbox = library(tmp_path, channel_files=True)
    deliver(inbox, "json", raw=two_channels())

    assert names(adopted(inbox, own(inbox))) == {"json", "srt", "srt-ch0", "srt-ch1"}
    assert standing(inbox) == {"talk.json", "talk.srt", "talk.ch0.srt", "talk.ch1.srt"}


@pytest.mark.parametrize("name", ["srt", "raw"])
def test_what_is_not_as_we_would_write_it_may_be_a_persons_and_is_not_adopted(tmp_path: Path, name: str) -> None:
    inbox = library(tmp_path, "json", "srt", "raw")
    edited = deliver(inbox)[name]
    edited.write_bytes(b"corrected by hand")

    outputs = adopted(inbox, own(inbox))

    assert names(outputs) == {"json", "srt", "raw"} - {name}
    assert edited.read_bytes() == b"corrected by hand"


def test_what_came_to_stand_there_meanwhile_stays(tmp_path: Path) -> None:
    inbox = library(tmp_path)
    deliver(inbox, "json")
    found = own(inbox)
    (inbox.outbox / "talk.srt").write_bytes(b"by hand")

    assert names(adopted(inbox, found)) == {"json"}
    assert (inbox.outbox / "talk.srt").read_bytes() == b"by hand"
    assert standing(inbox) == {"talk.json", "talk.srt"}


def test_an_outbox_that_cannot_be_written_is_an_alarm_for_that_folder() -> None:
    with plain_user_folder() as root:
        inbox = library(root)
        deliver(inbox, "json")
        found = own(inbox)
        inbox.outbox.chmod(0o500)

        with pytest.raises(OutOfOrder) as fault:
            adopted(inbox, found)

        inbox.outbox.chmod(0o700)
        assert fault.value.scope == f"folder:{inbox.outbox}"


def test_a_transcript_that_may_not_be_read_is_not_taken_for_nobodys() -> None:
    with plain_user_folder() as root:
        inbox = library(root)
        hidden = deliver(inbox)["json"]
        hidden.chmod(0)

        with pytest.raises(CannotTell) as trouble:
            own_outputs(inbox, talk(inbox))

        assert trouble.value.path == os.fsencode(hidden)


def test_a_set_that_stands_under_its_second_name_is_found_whatever_hides_the_first() -> None:
    with plain_user_folder() as root:
        inbox = library(root)
        deliver(inbox, stem="talk.mp3")
        (inbox.outbox / "talk.json").write_text("{}")
        (inbox.outbox / "talk.json").chmod(0)

        assert own(inbox).transcript.path.endswith(b"/talk.mp3.json")


def test_an_output_that_may_not_be_read_is_neither_ours_nor_missing() -> None:
    with plain_user_folder() as root:
        inbox = library(root)
        deliver(inbox)["srt"].chmod(0)

        assert names(adopted(inbox, own(inbox))) == {"json"}


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "a file for its folder", "a loop for its folder"])
def test_where_no_regular_file_stands_there_is_no_transcript(tmp_path: Path, kind: str) -> None:
    inbox = library(tmp_path)
    new = replace(talk(inbox), path=b"old/talk.mp3")
    folder = inbox.outbox / "old"
    match kind:
        case "a file for its folder":
            folder.touch()
        case "a loop for its folder":
            folder.symlink_to(folder)
        case _:
            folder.mkdir()
            path = folder / "talk.json"
            {"link": lambda: path.symlink_to("/nowhere"), "folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}[kind]()

    assert own_outputs(inbox, new) is None


def test_a_set_behind_a_linked_folder_is_ours_and_nothing_is_written_through_the_link(tmp_path: Path) -> None:
    inbox = library(tmp_path)
    (tmp_path / "archive").mkdir()
    (inbox.outbox / "old").symlink_to(tmp_path / "archive")
    deliver(inbox, "json", stem="old/talk")

    found = own_outputs(inbox, replace(talk(inbox), path=b"old/talk.mp3"))

    assert found is not None and set(found.missing) == {"srt"}
    with pytest.raises(NotADirectoryError):
        adopted(inbox, found)
    assert os.listdir(tmp_path / "archive") == ["talk.json"]


def test_a_linked_folder_that_leads_nowhere_may_hide_a_transcript(tmp_path: Path) -> None:
    inbox = library(tmp_path)
    (inbox.outbox / "old").symlink_to(tmp_path / "unmounted/old")

    with pytest.raises(CannotTell, match=r"old/talk\.json: a link that leads nowhere"):
        own_outputs(inbox, replace(talk(inbox), path=b"old/talk.mp3"))
