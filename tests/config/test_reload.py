"""What a reload may change."""

import pytest

from dropscribe.config import changes, restart_needed

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


def test_what_changed_is_told_by_its_keys_and_never_by_a_value(config):
    old = config.set("inboxes[0].name", "talks").set("inboxes[1].inbox", "b/inbox").set("inboxes[1].name", "b").load()
    config.keys = {key: value for key, value in config.keys.items() if not key.startswith("inboxes[1]")}
    config.set("storage.access_key_secret", "another-secret").set("batch.max_wait", "1s").set(
        "model_studio.poll", "{first: 1s}"
    )
    config.set("inboxes[0].outputs", "[srt]").set("inboxes[0].subtitles", "{line: 12}")
    new = config.set("inboxes[1].inbox", "c/inbox").set("inboxes[1].name", "c").load()

    assert changes(old, old) == []
    assert changes(old, new) == [
        "model_studio.poll.first",
        "storage.access_key_secret",
        "batch.max_wait",
        "inboxes: c added",
        "inboxes: b removed",
        "inboxes.talks.outputs",
        "inboxes.talks.subtitles.line",
    ]
