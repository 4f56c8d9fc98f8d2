"""For commands that call no service (`status`, `retry`, `forget`): keys and tokens are not asked for.

They run in a person's shell, where systemd's credentials and the daemon's environment are not.
"""

from collections.abc import Mapping
from dataclasses import replace

from dropscribe.config.schema import MODEL_STUDIO, STORAGE, Key
from dropscribe.config.yaml_lines import Node, Scalar, Table

STAND_IN = "not-needed-here"
_SECTIONS = {"model_studio": MODEL_STUDIO, "storage": STORAGE}
_SECRET = {
    name: {key.name: key.env for key in section.keys if isinstance(key, Key) and key.env is not None}
    for name, section in _SECTIONS.items()
}
"""Keys by section, each with the environment variable that it falls back to."""


def without_keys(root: Node) -> Node:
    """The configuration with a stand-in for every key and token that is written in it."""
    if not isinstance(root, Table):
        return root
    return replace(root, entries={name: _covered(node, _SECRET.get(name, {})) for name, node in root.entries.items()})


def _covered(section: Node, secret: Mapping[str, str]) -> Node:
    if not isinstance(section, Table):
        return section
    covered = {
        name: Scalar(node.line, STAND_IN, plain=False) if name in secret else node
        for name, node in section.entries.items()
    }
    return replace(section, entries=covered)


def with_stand_ins(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, in which none of the variables for keys is missing."""
    variables = [variable for section in _SECRET.values() for variable in section.values()]
    return {**dict.fromkeys(variables, STAND_IN), **environ}
