"""The sandbox's ear: what `listening` heard, as a recording like those that are known by heart."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dropscribe.sandbox.spoken import Recording, Sentence

LIBRARIES = ("pocketsphinx", "av")
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR")
SURE_ENOUGH = 0.48
"""Clean English comes out at 0.57 and more, Mandarin and two people at once at 0.37 and less."""
UNHEARD = "[Not recognised: the sandbox's ear, PocketSphinx, knows only clear English.]"


class Unheard(Exception):
    """There is nothing to say about the file; `code` is the service's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def missing() -> list[str]:
    """The libraries of the extra `sandbox` that are not installed."""
    return [name for name in LIBRARIES if find_spec(name) is None]


class Ear:
    """Listens to as many files at once as there are processors."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(os.cpu_count() or 1)

    async def listen(self, path: Path, suffix: str, channels: Sequence[int]) -> Recording:
        """Raises Unheard."""
        async with self._free:
            answer = await _ask(path, channels)
        if "failed" in answer:
            raise Unheard(answer["failed"], answer["message"])
        return recording(answer, suffix)


async def _ask(path: Path, channels: Sequence[int]) -> Mapping[str, Any]:
    command = [sys.executable, "-P", "-m", "dropscribe.sandbox.listening", str(path), *map(str, channels)]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=quiet,
        stdout=asyncio.subprocess.PIPE,
        stderr=quiet,
        start_new_session=True,
        env=harmless(os.environ),
    )  # a session of its own: Ctrl-C is ours to pass on
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # to the end of its pipe, so that nothing is left for a loop that is closed
    if process.returncode != 0:
        raise Unheard("InternalError.Algo", f"The sandbox's ear ended with {process.returncode}.")
    answer: Mapping[str, Any] = json.loads(out)
    return answer


def harmless(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process needs that reads what anybody drops: none of the keys that whoever tries us out has around."""
    return {name: environ[name] for name in KEPT if name in environ}


def recording(answer: Mapping[str, Any], suffix: str) -> Recording:
    """Pure. Raises Unheard where nobody speaks."""
    found = tuple(sentence for heard in answer["heard"] for sentence in _sentences(heard))
    if not found:
        raise Unheard("SUCCESS_WITH_NO_VALID_FRAGMENT", "SUCCESS_WITH_NO_VALID_FRAGMENT")
    return Recording(suffix, answer["sample_rate"], answer["duration_ms"], found)


def _sentences(heard: Mapping[str, Any]) -> list[Sentence]:
    spoken, channel = heard["sentences"], heard["channel"]
    if not spoken:
        return []
    if heard["certainty"] < SURE_ENOUGH:
        return [Sentence(((spoken[0][0][0], spoken[-1][-1][1], UNHEARD),), channel=channel)]
    return [Sentence(_phrases(words), channel=channel) for words in spoken]


def _phrases(words: Sequence[tuple[int, int, str]]) -> tuple[tuple[int, int, str], ...]:
    """Every word is a phrase of its own, because its times are known."""
    last = len(words) - 1
    return tuple((begin, end, text + " " * (place < last)) for place, (begin, end, text) in enumerate(words))
