"""`python -m bench.subtitles.treebank FILE.conllu... --language zh --out FOLDER`: other texts to measure on.

Sentences of a Universal Dependencies treebank as Fun-ASR would have heard them, and beside each where people, not a
program, say that its words begin (in Japanese its phrases, bunsetsu): `python -m bench.subtitles --words FOLDER` judges
by them. Times are made up, the same at each run: a rate a character with noise, pauses at marks, a few hesitations.
"""

import argparse
import json
import random
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WAYS = {"words": (0.2, True), "characters": (1.0, True), "bare": (0.2, False)}
"""How many of the words come character by character, and whether the text has marks."""
A_CHARACTER_MS = {"zh": 240, "ja": 170}
HESITATES = 0.02
"""Of the words, how many a pause follows without a mark."""
JOINS = 0.4
"""Of the particles, how many come as part of the word before them."""
PARTICLES = frozenset({"PART", "AUX", "ADP", "SCONJ"})


class Word(NamedTuple):
    """`begins`: people say that a word or phrase begins here."""

    text: str
    begins: bool
    particle: bool

    @property
    def is_mark(self) -> bool:
        return all(unicodedata.category(character)[0] in "PSZ" for character in self.text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.subtitles.treebank", description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+", metavar="FILE.conllu")
    parser.add_argument("--language", choices=list(A_CHARACTER_MS), required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for source in options.sources:
        every = list(sentences(source.read_text("utf-8")))
        for way in WAYS:
            name = options.out / f"{options.language}_{source.stem.removeprefix(options.language + '_')}_{way}"
            kept = every if WAYS[way][1] else [_without_marks(sentence) for sentence in every]
            name.with_suffix(".funasr.json").write_text(json.dumps(spoken(kept, options.language, way)), "utf-8")
            name.with_suffix(".words.txt").write_text("\n".join(map(_marked, kept)), "utf-8")


def sentences(conllu: str) -> Iterator[list[Word]]:
    """Each sentence of a treebank in CoNLL-U."""
    for block in conllu.split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line and line[0] != "#"]
        words = [
            Word(row[1] + _space(row[9]), "BunsetuBILabel=I" not in row[9], row[3] in PARTICLES)
            for row in rows
            if row[0].isdigit()
        ]
        if words:
            yield words


def _space(about: str) -> str:
    return "" if "SpaceAfter=No" in about else " "


def spoken(every: Sequence[Sequence[Word]], language: str, way: str) -> dict[str, Any]:
    """An answer of Fun-ASR's shape that holds the sentences."""
    chance, at, said = random.Random(way), 0, []
    for number, sentence in enumerate(every, 1):
        words = list(_timed(sentence, language, WAYS[way][0], at + chance.randrange(200, 800, 40), chance))
        if not words:
            continue
        text = "".join(word.text for word in sentence).strip()
        begin, at = words[0]["begin_time"], words[-1]["end_time"]
        said.append({"begin_time": begin, "end_time": at, "text": text, "sentence_id": number, "words": words})
    return {"transcripts": [{"channel_id": 0, "text": "".join(one["text"] for one in said), "sentences": said}]}


def _timed(
    sentence: Sequence[Word], language: str, singly: float, at: int, chance: random.Random
) -> Iterator[dict[str, Any]]:
    for text, mark in _given(sentence, singly, chance):
        end = at + sum(A_CHARACTER_MS[language] + chance.randrange(-40, 41, 40) for _ in text)
        yield {"begin_time": at, "end_time": end, "text": text, "punctuation": mark}
        pause = chance.randrange(120, 520, 40) if mark else 0
        at = end + (chance.randrange(200, 600, 40) if chance.random() < HESITATES else pause)


def _given(sentence: Sequence[Word], singly: float, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(word, mark after it) as a recogniser gives them: some by character, some with their particle."""
    pieces: list[tuple[str, str]] = []
    for word in sentence:
        if word.is_mark:
            if pieces:
                pieces[-1] = (pieces[-1][0], pieces[-1][1] + word.text.strip())
        elif word.text.isascii() or chance.random() >= singly:
            joined = bool(word.particle and pieces and not pieces[-1][1] and chance.random() < JOINS)
            before = pieces.pop()[0] if joined else ""
            pieces.append((before + word.text.strip(), ""))
        else:
            pieces += [(character, "") for character in word.text.strip()]
    yield from pieces


def _without_marks(sentence: Sequence[Word]) -> list[Word]:
    return [word for word in sentence if not word.is_mark]


def _marked(sentence: Sequence[Word]) -> str:
    return "".join((" " if word.begins else "") + word.text.strip() for word in sentence).strip()


if __name__ == "__main__":
    main()
