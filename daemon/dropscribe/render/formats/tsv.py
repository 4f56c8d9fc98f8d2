"""Tab-separated sentences with times in ms, as Whisper writes them; a column of speakers where they are told apart."""

from dropscribe.render.edition import Edition
from dropscribe.render.plain import plain

NAME = "tsv"


def render(edition: Edition) -> str:
    """A header, then a row a sentence. A tab in a text becomes a space."""
    spoken = [segment for segment in edition.segments if plain(segment.text)]
    names = [edition.name(segment.channel, segment.speaker) for segment in spoken]
    named = any(names)
    rows = [["start", "end", "text", *(["speaker"] if named else [])]]
    for segment, name in zip(spoken, names, strict=True):
        row = [str(segment.start_ms), str(segment.end_ms), plain(segment.text)]
        rows.append([*row, plain(name or "")] if named else row)
    return "".join("\t".join(row) + "\n" for row in rows)


def meant(edition: Edition) -> str:
    """The text that the file has to hold."""
    return "".join(segment.text for segment in edition.segments)


def shown(text: str) -> str:
    """The text that a file holds."""
    return "".join(row.split("\t")[2] for row in text.split("\n")[1:-1])
