"""`${NAME}` and `${credential:NAME}`, and the environment that stands in for keys."""

import os
from pathlib import Path

import pytest

from dropscribe.model import Secret

KEY = "model_studio.api_key"
UNITS = Path(__file__).parents[2] / "systemd"


@pytest.fixture
def credentials(config):
    folder = config.folder / "credentials"
    folder.mkdir()
    config.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    return folder


@pytest.mark.parametrize(
    ("path", "written", "read"),
    [
        (KEY, "${MINE}", lambda s: s.model_studio.api_key == Secret("12345678")),
        (KEY, '"a-${MINE}-${MINE}"', lambda s: s.model_studio.api_key == Secret("a-12345678-12345678")),
        ("storage.uploads", "${FEW}", lambda s: s.storage.uploads == 7),
        ("storage.cname", "${NOT}", lambda s: s.storage.cname is False),
        ("batch.max_wait", "${FEW}s", lambda s: s.batch.max_wait == 7.0),
        ("storage.session_token", "${EMPTY}", lambda s: s.storage.session_token is None),
        ("inboxes[0].exclude", '["${FEW}.*"]', lambda s: s.inboxes[0].exclude == ("7.*",)),
        (KEY, "${TRICK}", lambda s: s.model_studio.api_key == Secret("${MINE}")),
        (KEY, "a$b$$", lambda s: s.model_studio.api_key == Secret("a$b$$")),
    ],
)
def test_a_placeholder_is_filled_in_once_in_any_value(config, path, written, read):
    config.environ |= {"MINE": "12345678", "FEW": "7", "NOT": "false", "EMPTY": "", "TRICK": "${MINE}"}

    assert read(config.set(path, written).load())


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("${NOT_SET}", "NOT_SET is not set"),
        ("a${NOT_SET}b", "NOT_SET is not set"),
        ('"${}"', "right is ${NAME}"),
        ('"${a-b}"', "right is ${NAME}"),
        ('"${open"', "right is ${NAME}"),
        ('"${secret:x}"', "right is ${NAME}"),
        ('"${credential:../x}"', "right is ${NAME}"),
        ('"${credential:}"', "right is ${NAME}"),
        ("${credential:key}", "$CREDENTIALS_DIRECTORY is not set"),
    ],
)
def test_one_that_is_written_and_cannot_be_filled_in_is_the_only_fault_of_its_key(config, written, right):
    problem = config.set(KEY, written).problem()

    assert (problem.path, problem.line) == (KEY, config.line_of("api_key"))
    assert right in problem.message


@pytest.mark.parametrize(
    ("path", "written"),
    [("inboxes[0].exclude", '["a", "${NOT_SET}"]'), ("inboxes[0].recognition", '{x: ["${NOT_SET}"]}')],
)
def test_one_that_is_missing_deep_inside_is_named_where_it_stands(config, path, written):
    problem = config.set(path, written).problem()

    assert problem.path.startswith(path)
    assert "NOT_SET" in problem.message


@pytest.mark.parametrize(
    ("content", "value"),
    [("sk-1234", "sk-1234"), ("sk-1234\n", "sk-1234"), ("sk-1234\r\n", "sk-1234")],
)
def test_a_credential_is_the_text_of_its_file_without_one_line_end(config, credentials, content, value):
    (credentials / "dashscope.key").write_bytes(content.encode())

    settings = config.set(KEY, "${credential:dashscope.key}").load()

    assert settings.model_studio.api_key == Secret(value)


def test_a_second_line_end_is_not_stripped_but_refused(config, credentials):
    (credentials / "key").write_text("sk-1234\n\n")

    assert "line break" in config.set(KEY, "${credential:key}").problem().message


def make_folder(path):
    path.mkdir()


def make_pipe(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "right"),
    [
        (lambda path: None, "No such file"),
        (make_folder, "cannot be read"),
        (make_pipe, "missing"),  # a pipe nobody writes to is empty; what counts is that it does not block
        (lambda path: path.write_bytes(b"\xff"), "UTF-8"),
        (lambda path: path.write_bytes(b"x" * 100_001), "larger than"),
    ],
)
def test_a_credential_that_cannot_be_read_is_a_fault_that_does_not_block(config, credentials, make, right):
    config.environ.pop("DASHSCOPE_API_KEY")
    make(credentials / "key")

    assert right in config.set(KEY, "${credential:key}").problem().message


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("DASHSCOPE_API_KEY", "model_studio.api_key"),
        ("OSS_ACCESS_KEY_ID", "storage.access_key_id"),
        ("OSS_ACCESS_KEY_SECRET", "storage.access_key_secret"),
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_key_that_neither_file_nor_environment_gives_is_missed_by_the_name_of_its_variable(
    config, variable, path, value
):
    config.environ.pop(variable)
    config.environ |= {} if value is None else {variable: value}

    problem = config.problem()

    assert problem.path == path
    assert variable in problem.message


def test_the_environment_stands_in_for_keys_and_tokens(config):
    config.environ["OSS_SESSION_TOKEN"] = "token-from-environment"

    settings = config.load()

    assert settings.model_studio.api_key == Secret("sk-from-environment")
    assert settings.storage.access_key_id == "LTAI-from-environment"
    assert settings.storage.access_key_secret == Secret("secret-from-environment")
    assert settings.storage.session_token == Secret("token-from-environment")


def test_a_fault_of_a_key_from_the_environment_names_the_variable(config):
    config.environ["DASHSCOPE_API_KEY"] = "broken\nkey"

    assert "DASHSCOPE_API_KEY" in config.problem().message


@pytest.mark.parametrize(
    "path", ["storage.uploads", "batch.max_wait", "storage.multipart_above", "inboxes[0].watch", "storage.bucket"]
)
@pytest.mark.parametrize("written", ["${MINE}", "a ${MINE}"])
def test_what_was_filled_in_is_never_shown_by_a_fault(config, path, written):
    config.environ["MINE"] = "Sk-VERY-SECRET"

    assert "SECRET" not in str(config.set(path, written).problem())


@pytest.mark.parametrize("path", ["model_studio.endpoint", "storage.bucket", "storage.prefix", "model_studio.api_key"])
def test_a_key_written_in_the_wrong_place_is_not_shown_by_the_fault(config, path):
    assert "SECRET" not in str(config.set(path, '"https://SECRET:SECRET@h/?SECRET SECRET"').problem())


def test_settings_do_not_show_their_secrets(config):
    assert "from-environment" not in repr(config.load()).replace("LTAI-from-environment", "")


@pytest.mark.parametrize("environment", ["DASHSCOPE_API_KEY", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"])
def test_a_key_that_is_missing_is_told_by_the_name_that_the_unit_gives_it(config, environment):
    config.environ.pop(environment)

    [_, credential] = config.problem().message.split("${credential:")

    assert f"LoadCredential={credential.rstrip('}')}:" in (UNITS / "dropscribe.service").read_text()
