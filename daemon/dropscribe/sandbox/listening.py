"""Genuine recognition of English without a network: the only home of PocketSphinx.

It is a program of its own, one process a file, so that nothing it does can hold or break the sandbox:

    python -m dropscribe.sandbox.listening FILE CHANNEL...     prints what was heard as JSON (see `ear`)

PocketSphinx reads clean speech fairly and noisy speech poorly; other languages it takes for odd English. How sure it is
of its words tells these apart.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder, Segmenter, set_loglevel

from dropscribe.sandbox.decoding import RATE, Samples, Undecodable, sound_of

FRAMES_A_SECOND = 100
PAUSE = 0.3
"""Seconds of silence that end a sentence."""


@dataclass(frozen=True, slots=True)
class Word:
    """Times in seconds; `certainty` from 0 to 1."""

    begin: float
    end: float
    text: str
    certainty: float


def listen(path: Path, channels: Sequence[int]) -> dict[str, Any]:
    """What is said in these channels of a file. Raises Undecodable."""
    sound = sound_of(path)
    decoder = Decoder(samprate=RATE)
    duration, heard = 0.0, []
    for channel in channels:
        if channel < sound.channels:
            samples = Samples(path, channel)
            words = list(_words(decoder, samples))
            heard.append({"channel": channel, "certainty": certainty(words), "sentences": sentences(words)})
            duration = max(duration, samples.samples / RATE)
    return {"sample_rate": sound.sample_rate, "duration_ms": round(duration * 1000), "heard": heard}


def _words(decoder: Any, samples: Samples) -> Iterator[Word]:
    for part in Segmenter(sample_rate=RATE).segment(samples):
        decoder.start_utt()
        decoder.process_raw(part.pcm, full_utt=True)
        decoder.end_utt()
        for found in decoder.seg() or ():
            if found.word[0] not in "<[":  # silence and noise
                yield Word(
                    part.start_time + found.start_frame / FRAMES_A_SECOND,
                    part.start_time + (found.end_frame + 1) / FRAMES_A_SECOND,
                    found.word.partition("(")[0],  # `the(2)` is another pronunciation
                    found.prob,
                )


def certainty(words: Sequence[Word]) -> float:
    """From 0 to 1, long words counting more; 0 where there are none."""
    lengths = [word.end - word.begin for word in words]
    weighted = sum(word.certainty * length for word, length in zip(words, lengths, strict=True))
    return weighted / sum(lengths) if words else 0.0


def sentences(words: Sequence[Word]) -> list[list[tuple[int, int, str]]]:
    """Words as (begin ms, end ms, text), parted where somebody paused."""
    found: list[list[tuple[int, int, str]]] = []
    before = -PAUSE
    for word in words:
        if word.begin - before >= PAUSE or not found:
            found.append([])
        found[-1].append((round(word.begin * 1000), round(word.end * 1000), word.text))
        before = word.end
    return found


def main(arguments: Sequence[str]) -> None:
    set_loglevel("FATAL")
    try:
        answer = listen(Path(arguments[0]), [int(channel) for channel in arguments[1:]])
    except Undecodable as error:
        answer = {"failed": error.code, "message": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
