"""Other tools' cues of the same words: their published code, run where it is installed, without torch.

    pip install --no-deps openai-whisper whisperx stable-ts tqdm && pip install numpy

Each gets words with the spaces before them, as Whisper gives them, and the line that is usual for the language.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from bench.subtitles.corpus import Sample
from dropscribe.model import Document
from dropscribe.render import render_all
from dropscribe.render.quality import Shown

LINES = {"zh": 16, "ja": 13, "ko": 16, "th": 35}
"""Characters of a line; 42 in other languages."""

NEVER_USED = frozenset({"torch", "torchaudio", "tiktoken", "numba"})

Tool = Callable[[Mapping[str, Any], str], Iterator[Shown]]

PUBLISHED = {
    "sentence = cue": 8.1,
    "stable-ts default": 20.5,
    "FunASR CLI": 29.1,
    "whisper WriteSRT": 35.8,
    "whisperX SubtitlesProcessor": 46.0,
    "stable-ts with line lengths": 70.6,
}
"""Clean cues in per cent, macro average over seven languages, November 2026, on a larger corpus that holds this one."""


def whisper_result(sample: Sample) -> dict[str, Any]:
    """The sample as Whisper would have given it."""
    document = Document(sample.name, None, None, None, {}, None, sample.transcript)
    result: dict[str, Any] = json.loads(render_all(document, ["verbose_json"]).texts["verbose_json"])
    for segment in result["segments"]:
        segment["words"] = [word | {"probability": 1.0} for word in segment["words"]]
    return result


def sentences(result: Mapping[str, Any], language: str) -> Iterator[Shown]:
    """What most scripts around the service do."""
    for segment in result["segments"]:
        yield _shown(segment["start"], segment["end"], segment["text"])


def whisper(result: Mapping[str, Any], language: str) -> Iterator[Shown]:
    """openai-whisper's own writer, two lines."""
    writer = _module("whisper", "utils").WriteSRT(".")
    options = {"max_line_width": LINES.get(language, 42), "max_line_count": 2}
    for start, end, text in writer.iterate_result(result, options):
        yield Shown(_ms(start), _ms(end), tuple(text.split("\n")))


def whisperx(result: Mapping[str, Any], language: str) -> Iterator[Shown]:
    """WhisperX's processor with its defaults."""
    processor = _module("whisperx", "SubtitlesProcessor").SubtitlesProcessor(result["segments"], language)
    for one in processor.process_segments(advanced_splitting=True):
        yield _shown(one["start"], one["end"], one["text"])


def stable_ts(result: Mapping[str, Any], language: str) -> Iterator[Shown]:
    """stable-ts with its default regrouping."""
    yield from _stable(result, True)


def stable_ts_lines(result: Mapping[str, Any], language: str) -> Iterator[Shown]:
    """The same split at the line's length."""
    yield from _stable(result, f"isp_cm_sp=.* /。/?/？_sg=.5_sp=,* /，++++50_sl={LINES.get(language, 42)}_cm")


def _stable(result: Mapping[str, Any], regroup: bool | str) -> Iterator[Shown]:
    segments = [{key: one[key] for key in ("start", "end", "text", "words")} for one in result["segments"]]
    for segment in segments:
        segment["words"] = [{key: word[key] for key in ("word", "start", "end")} for word in segment["words"]]
    made = _module("stable_whisper", "result").WhisperResult({"segments": segments}, show_unsorted=False)
    made.regroup(regroup)
    for one in made.segments:
        yield _shown(one.start, one.end, one.text)


TOOLS: Mapping[str, Tool] = {
    "sentence = cue": sentences,
    "whisper WriteSRT": whisper,
    "whisperX SubtitlesProcessor": whisperx,
    "stable-ts default": stable_ts,
    "stable-ts with line lengths": stable_ts_lines,
}


def cues_of(tool: str, sample: Sample) -> Sequence[Shown] | None:
    """The tool's cues; None where it is not installed."""
    try:
        return list(TOOLS[tool](whisper_result(sample), sample.language))
    except ImportError:
        return None


def _module(package: str, name: str) -> Any:
    """One module of a package without running the package, which would load models."""
    if package not in sys.modules:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ImportError(package)
        bare = ModuleType(package)
        bare.__spec__ = spec
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules[package] = bare
        if not any(isinstance(finder, _StandIn) for finder in sys.meta_path):
            sys.meta_path.append(_StandIn())
    return import_module(f"{package}.{name}")


class _StandIn(MetaPathFinder, Loader):
    """Stands in for what the code that cuts cues imports and does not use."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        wanted = name.partition(".")[0] in NEVER_USED
        return ModuleSpec(name, self, is_package=True) if wanted else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return MagicMock(__path__=[], __spec__=spec)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def _shown(start: float, end: float, text: str) -> Shown:
    return Shown(round(1000 * start), round(1000 * end), tuple(text.strip().split("\n")))


def _ms(stamp: str) -> int:
    hours, minutes, seconds, ms = map(int, re.split("[:,.]", stamp))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
