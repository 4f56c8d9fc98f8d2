"""What a reload may change."""

import pytest

from dropscribe.config import restart_needed

RESTART = [
    ("state", "elsewhere"),
    ("model_studio.endpoint", "https://ws.cn-beijing.maas.aliyuncs.com"),
    ("model_studio.api_key", "sk-another"),
    ("storage.bucket", "another-bucket"),
    ("storage.region", "cn-shanghai"),
]
RELOAD = [
    ("model_studio.submit_rate", "1"),
    ("storage.endpoint", "https://oss-cn-beijing-internal.aliyuncs.com\n  public_endpoint: https://media.example.com"),
    ("storage.access_key_id", "another"),
    ("storage.uploads", "8"),
    ("batch.max_wait", "1s"),
    ("inboxes[0].model", "fun-asr-mtl"),
    ("inboxes[1].inbox", "more/inbox"),
]


@pytest.mark.parametrize(("path", "written"), RESTART)
def test_a_change_of_place_or_account_needs_a_restart(config, path, written):
    old = config.load()

    assert restart_needed(old, config.set(path, written).load()) == [path]


@pytest.mark.parametrize(("path", "written"), RELOAD)
def test_any_other_change_needs_none(config, path, written):
    old = config.load()
    new = config.set(path, written).load()

    assert new != old
    assert restart_needed(old, new) == []
