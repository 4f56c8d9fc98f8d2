"""Whatever stands in a name or in a service's words, no command gives it to a terminal as it is."""

import json
import os
from pathlib import Path

import pytest

from cli.house import House, run
from dropscribe.model import Failure
from dropscribe.printable import visible_lines

ODD = os.fsencode("a\x1b[2J\u202egpj\x9b31m\n\rb\x07.mp3")
WORDS = Failure("ODD\x1b[31m", "cannot\x1b]0;owned\x07 read\nit\u202e", "do\r\x9bsomething")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """One file that lies, one that is under way, one that failed; all of such a name."""
    house = House(tmp_path)
    house.deliver(b"delivered " + ODD, b"other sound")
    house.drop(b"failed " + ODD, b"broken")
    house.take(b"failed " + ODD)
    house.upload()
    house.refuse(house.submit("task"), WORDS)
    house.settle()
    house.drop(ODD)
    house.drop(b"under way " + ODD)
    house.take(b"under way " + ODD)
    return house


def calls(house: House) -> list[list[str | bytes]]:
    failed = os.path.join(os.fsencode(house.failed), b"failed " + ODD)
    delivered = os.path.join(os.fsencode(house.done), b"delivered " + ODD)
    return [
        ["status"],
        ["status", "--json"],
        ["status", failed],
        ["status", delivered],
        ["status", b"nowhere" + ODD],
        ["check"],
        ["plan"],
        ["plan", "--json"],
        ["plan", "--inbox", ODD],
        ["plan", b"nowhere" + ODD],
        ["render", "--out", os.fsencode(house.root) + b"/texts", delivered],
        ["render", b"nowhere" + ODD],
        ["retry", "--code", "\x1b[31mNONE"],
        ["retry", b"nowhere" + ODD],
        ["retry", failed],
        ["forget", b"nowhere" + ODD],
        ["forget", delivered],
        ["status", "--" + os.fsdecode(ODD)],
        [ODD],
    ]


def test_no_command_prints_what_steers_a_terminal(house: House) -> None:
    for arguments in calls(house):
        ran = house.run(*arguments)

        said = ran.out + ran.err
        assert said == visible_lines(said), arguments
        if "--json" in arguments:
            json.loads(ran.out)


def test_a_faulty_configuration_is_told_in_printable_characters(tmp_path: Path) -> None:
    path = tmp_path / "con\x1b[2Jfig\u202e.yaml"
    path.write_text('"\\e[31m\\u202E": 1\nmodel_studio: {endpoint: "\\e[2J"}\ninboxes: [{inbox: "a\\u202E\\x9b"}]\n')

    ran = run("check", "--config", str(path))

    assert ran.code == 78
    assert ran.err == visible_lines(ran.err)
