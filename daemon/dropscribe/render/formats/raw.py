"""The service's own answer as received, without the query strings of its URLs: for programs that know Fun-ASR."""

from dropscribe.render.edition import Edition

NAME = "raw"


def render(edition: Edition) -> bytes:
    """Byte for byte what is kept."""
    return edition.document.raw
