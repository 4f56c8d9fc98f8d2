"""What ends a command is said on stderr, and nothing that must not be seen."""

import pytest

from dropscribe.cli.exits import ExitCode, cover, exit_code_of

KEY = "sk-a-very-secret-key"


def test_a_traceback_shows_no_key_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    cover([KEY])
    try:
        raise ValueError({"key": KEY, "url": "https://b.example/k?x-oss-signature=0123456789"}, "a\x1b[2Jb")
    except ValueError as error:
        code = exit_code_of(error)

    said = capsys.readouterr().err
    assert code == ExitCode.NOT_WELL
    assert "ValueError" in said and "this is a bug" in said
    assert KEY not in said and "0123456789" not in said and "\x1b" not in said
