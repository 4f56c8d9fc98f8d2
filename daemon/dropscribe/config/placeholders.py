"""`${NAME}` and `${credential:NAME}` in values. Keys are left alone; what is written and missing is a fault."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from dropscribe.config.wording import join, seen
from dropscribe.config.yaml_lines import Broken, Items, Node, Scalar, Table
from dropscribe.errors import Problem

LARGEST_CREDENTIAL = 100_000
"""Bytes; a key is a line, so more is surely the wrong file."""

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL = re.compile(r"(?!\.)[A-Za-z0-9_.@-]+")


class Missing(Exception):
    """Why a placeholder cannot be filled in, as a sentence."""


def fill(node: Node, environ: Mapping[str, str], path: str = "") -> tuple[Node, list[Problem]]:
    """The node with every placeholder filled in; a value where that fails is `Broken` and reported."""
    problems: list[Problem] = []
    return _fill(node, environ, path, problems), problems


def _fill(node: Node, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Node:
    match node:
        case Items():
            items = (_fill(item, environ, f"{path}[{i}]", problems) for i, item in enumerate(node.items))
            return replace(node, items=tuple(items))
        case Table():
            entries = {k: _fill(v, environ, join(path, k), problems) for k, v in node.entries.items()}
            return replace(node, entries=entries)
        case Scalar() if "${" in node.text:
            return _fill_scalar(node, environ, path, problems)
    return node


def _fill_scalar(node: Scalar, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Node:
    try:
        text = _PLACEHOLDER.sub(lambda match: _look_up(match, environ), node.text)
    except Missing as missing:
        problems.append(Problem(path, node.line, str(missing)))
        return Broken(node.line)
    return replace(node, text=text, written=node.text)


def _look_up(match: re.Match[str], environ: Mapping[str, str]) -> str:
    kind, colon, name = match[1].rpartition(":")
    if match[0].endswith("}") and kind == "credential" and _CREDENTIAL.fullmatch(name):
        return _credential(name, environ)
    if not match[0].endswith("}") or colon or not _VARIABLE.fullmatch(name):
        raise Missing("`${` begins a placeholder; right is ${NAME} or ${credential:NAME}")
    if name not in environ:
        raise Missing(f"the environment variable {name} is not set; set it, or write the value here")
    return environ[name]


def _credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        message = "there are no credentials ($CREDENTIALS_DIRECTORY is not set); start the daemon by systemd with"
        raise Missing(f"{message} LoadCredential={name}:/path/to/file, or use an environment variable")
    try:
        # One that is a pipe without a writer must not hold the start for ever.
        with open(os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = file.read(LARGEST_CREDENTIAL + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its path is impossible"
        message = f"the credential {name} cannot be read from $CREDENTIALS_DIRECTORY: {reason}"
        raise Missing(f"{message}; add LoadCredential={name}:/path/to/file to the unit") from error
    return _decoded(content, name)


def _decoded(content: bytes, name: str) -> str:
    if len(content) > LARGEST_CREDENTIAL:
        raise Missing(f"the credential {seen(name)} is larger than {LARGEST_CREDENTIAL} bytes; a key is one line")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Missing(f"the credential {seen(name)} is not UTF-8 text; a key is one line of text") from error
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
