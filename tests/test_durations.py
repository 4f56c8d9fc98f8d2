"""How long recordings last, asked of a child that may die of them."""

import os
import resource
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.durations import Durations

RECORDINGS = Path(__file__).parents[1] / "daemon/dropscribe/sandbox/recordings"


@pytest.fixture
def durations() -> Iterator[Durations]:
    opened = Durations()
    yield opened
    opened.close()


def silence(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(8000 * 2 * seconds)))
    return path


@pytest.mark.parametrize(("name", "seconds"), [("jfk_en.flac", 11.0), ("welcome_zh.wav", 5.546688)])
def test_recordings_say_how_long_they_last(durations: Durations, name: str, seconds: float) -> None:
    assert durations.of(RECORDINGS, name.encode()) == pytest.approx(seconds, abs=0.05)


def test_what_is_no_recording_is_not_guessed_at(durations: Durations, tmp_path: Path) -> None:
    garbage, playlist = tmp_path / "a.mp3", tmp_path / "b.mp4"
    garbage.write_bytes(b"no sound at all" * 100)
    silence(tmp_path / "c.wav", 2.0)
    playlist.write_text(f"#EXTM3U\n#EXTINF:2,\n{tmp_path}/c.wav\n#EXT-X-ENDLIST\n")
    link, pipe, linked = tmp_path / "link.wav", tmp_path / "pipe.wav", tmp_path / "linked"
    link.symlink_to(tmp_path / "c.wav")
    linked.symlink_to(tmp_path)
    os.mkfifo(pipe)

    for path in (garbage, playlist, link, pipe, linked / "c.wav", tmp_path / "missing.wav"):
        assert durations.of(tmp_path, os.fsencode(path.relative_to(tmp_path))) is None
    assert durations.of(tmp_path, b"c.wav") == pytest.approx(2.0)


def test_names_may_be_any_bytes(durations: Durations, tmp_path: Path) -> None:
    odd = b"new\nline \xff.wav"
    os.rename(silence(tmp_path / "x.wav", 1.0), os.path.join(os.fsencode(tmp_path), odd))

    assert durations.of(tmp_path, odd) == pytest.approx(1.0)


def test_a_file_that_kills_or_holds_the_child_costs_one_answer(tmp_path: Path) -> None:
    silence(tmp_path / "x.wav", 1.0)
    asked = Durations(patience=0.0)
    assert asked.of(tmp_path, b"x.wav") is None, "the answer does not come in time"

    asked.patience = 10.0
    assert asked.of(tmp_path, b"x.wav") == pytest.approx(1.0), "another child takes its place"
    asked.close()
    assert asked.of(tmp_path, b"x.wav") is None


def test_where_ffmpeg_is_not_to_be_had_it_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "av.py").write_text(f"open({str(tmp_path / 'asked')!r}, 'a').write('x'); raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    silence(tmp_path / "x.wav", 1.0)
    asked = Durations()

    assert [asked.of(tmp_path, b"x.wav") for _ in range(3)] == [None, None, None]

    asked.close()
    assert (tmp_path / "asked").read_text() == "x"


def test_the_child_has_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-very-secret")
    asked = Durations()
    asked.of(tmp_path, os.fsencode(silence(tmp_path / "x.wav", 1.0).name))
    [child] = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_worker_of_mine(pid)]

    seen = Path(f"/proc/{child}/environ").read_bytes()
    asked.close()

    assert b"sk-very-secret" not in seen


def test_the_child_can_grow_only_so_far_and_writes_no_files(durations: Durations, tmp_path: Path) -> None:
    durations.of(tmp_path, os.fsencode(silence(tmp_path / "x.wav", 1.0).name))
    [child] = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_worker_of_mine(pid)]

    assert resource.prlimit(child, resource.RLIMIT_AS)[1] <= 2 * 1024**3
    assert resource.prlimit(child, resource.RLIMIT_FSIZE) == (0, 0)
    assert resource.prlimit(child, resource.RLIMIT_CORE) == (0, 0)


def is_worker_of_mine(pid: str) -> bool:
    try:
        status, command = Path(f"/proc/{pid}/status").read_text(), Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return f"PPid:\t{os.getpid()}\n" in status and b"durations/worker.py" in command and b"\0" in command
