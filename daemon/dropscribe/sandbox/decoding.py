"""Sound out of any media file, as PocketSphinx wants it: the sandbox's only home of PyAV."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

RATE = 16_000
BYTES_A_SAMPLE = 2


class Undecodable(Exception):
    """The file cannot be read as audio or video, or holds no sound; `code` is the service's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Sound:
    """What a file is, before it is decoded."""

    sample_rate: int
    channels: int


def sound_of(path: Path) -> Sound:
    """Raises Undecodable."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise Undecodable("NO_VALID_AUDIO_ERROR", "The file holds no audio stream.")
            stream = container.streams.audio[0]
            return Sound(stream.rate or RATE, max(1, stream.channels))
    except FFmpegError as error:
        raise Undecodable("DECODE_ERROR", "The file cannot be decoded.") from error


class Samples:
    """One channel as 16-bit samples at 16 kHz, read as from a file, none of it kept. `read` raises Undecodable."""

    def __init__(self, path: Path, channel: int) -> None:
        self._chunks = _chunks(path, channel)
        self._rest = b""
        self.samples = 0
        """How many were read."""

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        self.samples += len(found) // BYTES_A_SAMPLE
        return found


def _chunks(path: Path, channel: int) -> Iterator[bytes]:
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler(format="s16p", rate=RATE)
            for frame in container.decode(container.streams.audio[0]):
                frame.pts = None  # gaps and jumps of a stream's clock are none of ours
                yield from _planes(resampler.resample(frame), channel)
            yield from _planes(resampler.resample(None), channel)
    except FFmpegError as error:
        raise Undecodable("DECODE_ERROR", "The file cannot be decoded to its end.") from error


def _planes(frames: list[AudioFrame], channel: int) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[channel])[: frame.samples * BYTES_A_SAMPLE]
