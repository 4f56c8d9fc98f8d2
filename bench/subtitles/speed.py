"""A day's speech: how long parsing, cutting and writing take in a process of their own, beside a bare writer's."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.processes import Cost, run
from bench.subtitles.corpus import Sample

OURS = """
import sys
from dropscribe.model import Document
from dropscribe.render import render_all
from dropscribe.transcript import parse
raw = open("speech.json", "rb").read()
document = Document("talk", 0, "0" * 64, "fun-asr", {}, None, parse(raw), raw)
for name, text in render_all(document, sys.argv[1:]).texts.items():
    open(name, "wb").write(text)
"""
BARE = """
import json
with open("bare.srt", "w") as file:
    for number, one in enumerate(json.load(open("speech.json"))["transcripts"][0]["sentences"], 1):
        file.write(f"{number}\\n{one['begin_time']} --> {one['end_time']}\\n{one['text']}\\n\\n")
"""


def lengthened(sample: Sample, words: int) -> bytes:
    """The sample over and over, until it has so many words."""
    body = json.loads(sample.raw)
    sentences, offset, made = body["transcripts"][0]["sentences"], 0, 0
    longer: list[dict[str, Any]] = []
    while made < words:
        for sentence in sentences:
            said = [_later(word, offset) for word in sentence["words"]]
            longer.append(_later(sentence, offset) | {"words": said})
            made += len(said)
            if made >= words:
                break
        offset += sentences[-1]["end_time"] + 500
    body["transcripts"][0] |= {"sentences": longer, "text": " ".join(one["text"] for one in longer)}
    return json.dumps(body, ensure_ascii=False).encode()


def _later(item: dict[str, Any], ms: int) -> dict[str, Any]:
    return item | {"begin_time": item["begin_time"] + ms, "end_time": item["end_time"] + ms}


def measure(sample: Sample, words: int) -> dict[str, Any]:
    """CPU seconds, words a second and peak MB for srt, vtt and json; `bare` writes one cue a sentence."""
    with tempfile.TemporaryDirectory(prefix="dropscribe-bench-") as name:
        folder = Path(name)
        (folder / "speech.json").write_bytes(lengthened(sample, words))
        bare = _run(BARE, folder)
        ours = _run(OURS, folder, "srt", "vtt", "json")
        start = _run("import dropscribe.render, dropscribe.transcript", folder)
    return {
        "words": words,
        "CPU s": round(ours.cpu - start.cpu, 2),
        "words a CPU s": round(words / (ours.cpu - start.cpu)),
        "peak MB": round(ours.peak_mb),
        "CPU of the bare writer": round(ours.cpu / bare.cpu, 1),
        "memory of the bare writer": round(ours.peak_mb / bare.peak_mb, 1),
    }


def _run(code: str, folder: Path, *arguments: str) -> Cost:
    cost = run([sys.executable, "-c", code, *arguments], folder)
    if cost.code:
        raise RuntimeError((folder / "log").read_text())
    return cost
