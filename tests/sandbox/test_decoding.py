"""Any media file as 16 kHz samples of one channel."""

import array
import math
import wave
from pathlib import Path

import pytest

pytest.importorskip("av", reason="the extra `sandbox` is not installed")

from dropscribe.sandbox.decoding import RATE, Samples, Undecodable, sound_of


def stereo(path: Path, rate: int = 48_000, seconds: float = 0.5) -> Path:
    """A tone on the left, silence on the right."""
    frames = array.array("h")
    for number in range(int(rate * seconds)):
        frames += array.array("h", [int(8000 * math.sin(number * 0.05)), 0])
    with wave.open(str(path), "w") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames.tobytes())
    return path


def test_it_tells_what_a_file_is(tmp_path: Path) -> None:
    sound = sound_of(stereo(tmp_path / "a.wav"))
    assert (sound.sample_rate, sound.channels) == (48_000, 2)


def test_one_channel_comes_out_at_16_khz_and_whole(tmp_path: Path) -> None:
    path = stereo(tmp_path / "a.wav")
    left, right = Samples(path, 0), Samples(path, 1)
    loud, quiet = (array.array("h", samples.read(10**6)) for samples in (left, right))
    assert abs(len(loud) - RATE / 2) <= 32 and left.samples == len(loud)
    assert max(loud) > 7000 and max(map(abs, quiet)) < 10


def test_reads_are_as_long_as_asked_until_the_end(tmp_path: Path) -> None:
    samples = Samples(stereo(tmp_path / "a.wav"), 0)
    sizes = [len(part) for part in iter(lambda: samples.read(960), b"")]
    assert set(sizes[:-1]) == {960} and sizes[-1] <= 960


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam"])
def test_what_is_no_media_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(Undecodable) as refusal:
        sound_of(tmp_path / "a.mp3")
    assert refusal.value.code == "DECODE_ERROR"
