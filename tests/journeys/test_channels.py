"""Files of one channel each: further outputs of a set, placed, replaced and adopted with it."""

import json
import shutil

from lab import Lab, files_below

KEEP = {"done": "keep"}
APART = {"subtitles": {"channel_files": True}}
ALL = {"talk.json", "talk.srt", "talk.ch0.srt", "talk.ch1.srt"}


def answer(lab: Lab, *said: str, times: int = 1) -> None:
    """The next results: a sentence on each channel."""
    transcripts = [
        {
            "channel_id": channel,
            "text": text,
            "sentences": [{"begin_time": 100, "end_time": 1500, "text": text, "sentence_id": 1, "words": []}],
        }
        for channel, text in enumerate(said)
    ]
    lab.sandbox.inject("result", "body", message=json.dumps({"transcripts": transcripts}), times=times)


def test_each_channel_has_a_file_of_its_own_in_the_set(lab: Lab) -> None:
    lab.configure(APART)
    answer(lab, "Are you there?", "Yes, I am.")
    lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    outputs = lab.outputs()
    assert set(outputs) == ALL
    assert b"Are you there?" in outputs["talk.ch0.srt"]
    assert b"Are you there?" not in outputs["talk.ch1.srt"]
    assert set(files_below(lab.done)) == {"talk.mp3"}


def test_where_the_name_of_a_channels_file_is_somebody_elses_the_whole_set_steps_aside(lab: Lab) -> None:
    lab.configure(APART)
    lab.outbox.mkdir()
    (lab.outbox / "talk.ch1.srt").write_bytes(b"by hand")
    answer(lab, "Are you there?", "Yes, I am.")
    lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    assert set(lab.outputs()) == {"talk.ch1.srt", *(f"talk.mp3{name.removeprefix('talk')}" for name in ALL)}
    assert lab.outputs()["talk.ch1.srt"] == b"by hand"


def test_the_file_of_a_channel_that_a_rewritten_source_has_no_more_goes_unless_a_person_edited_it(lab: Lab) -> None:
    lab.configure({**KEEP, **APART})
    answer(lab, "Are you there?", "Yes, I am.", times=2)
    for name in ("talk.mp3", "edited.mp3"):
        lab.drop(name, f"two channels of {name}".encode())
    assert lab.run_once().returncode == 0
    (lab.outbox / "edited.ch1.srt").write_bytes(b"corrected by hand")

    answer(lab, "Nobody is there.", times=2)
    for name in ("talk.mp3", "edited.mp3"):
        lab.drop(name, f"one channel of {name}".encode())
    assert lab.run_once().returncode == 0

    outputs = lab.outputs()
    assert set(outputs) == {"talk.json", "talk.srt", "edited.json", "edited.srt", "edited.ch1.srt"}
    assert outputs["edited.ch1.srt"] == b"corrected by hand"
    assert b"Nobody is there." in outputs["talk.srt"]


def test_a_format_that_is_not_wanted_any_more_is_left_where_it_is(lab: Lab) -> None:
    lab.configure({**KEEP, "outputs": ["json", "srt", "vtt"]})
    lab.drop("talk.mp3", b"first")
    assert lab.run_once().returncode == 0
    lab.configure({**KEEP, "outputs": ["json", "srt"]})
    lab.drop("talk.mp3", b"rewritten")

    assert lab.run_once().returncode == 0

    assert set(lab.outputs()) == {"talk.json", "talk.srt", "talk.vtt"}


def test_a_library_whose_ledger_is_lost_adopts_the_files_of_channels_too_or_gets_them_for_nothing(lab: Lab) -> None:
    lab.configure({**KEEP, **APART})
    answer(lab, "Are you there?", "Yes, I am.")
    lab.drop("talk.mp3")
    assert lab.run_once().returncode == 0
    before = lab.outputs()
    shutil.rmtree(lab.state)
    (lab.outbox / "talk.ch1.srt").unlink()

    assert lab.run_once().returncode == 0

    assert lab.outputs() == before
    assert lab.calls("submit") == 1
    assert {format for (format,) in lab.ledger("SELECT format FROM output")} == {"json", "srt", "srt-ch0", "srt-ch1"}
