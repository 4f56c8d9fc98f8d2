"""Plain text in paragraphs, one a line, with an empty line between; with names where there are several speakers."""

from dropscribe.render.edition import Edition
from dropscribe.render.paragraphs import Paragraph, paragraphs

NAME = "txt"


def render(edition: Edition) -> str:
    """Nothing at all where nobody spoke."""
    return "\n".join(map(_written, paragraphs(edition)))


def _written(paragraph: Paragraph) -> str:
    return f"{paragraph.name}: {paragraph.text}\n" if paragraph.name else f"{paragraph.text}\n"


def meant(edition: Edition) -> str:
    """The text that the file has to hold, with its names."""
    return "".join(f"{one.name}:{one.text}" if one.name else one.text for one in paragraphs(edition))


def shown(text: str) -> str:
    """The text that a file holds."""
    return text
