"""Commands that call no service read the configuration without its keys; the daemon does not."""

import pytest

from config.conftest import Config
from dropscribe.config import load
from dropscribe.errors import Misconfigured

KEYS = ("model_studio.api_key", "storage.access_key_id", "storage.access_key_secret", "storage.session_token")


def test_keys_that_only_the_service_can_read_are_no_fault_of_a_command_that_needs_none(config: Config) -> None:
    for name in KEYS:
        config.set(name, "${credential:something}")
    config.path.write_text(config.text())
    assert load(config.path, {}, keyless=True).storage.bucket == "my-bucket"
    with pytest.raises(Misconfigured) as faults:
        load(config.path, {})
    assert {problem.path for problem in faults.value.problems} >= set(KEYS)


def test_nor_are_keys_that_stand_in_the_daemons_environment(config: Config) -> None:
    config.path.write_text(config.text())
    load(config.path, {}, keyless=True)


def test_what_is_no_key_is_still_a_fault(config: Config) -> None:
    config.set("storage.bucket", "${BUCKET}").path.write_text(config.text())
    with pytest.raises(Misconfigured) as faults:
        load(config.path, {}, keyless=True)
    assert [problem.path for problem in faults.value.problems] == ["storage.bucket"]
