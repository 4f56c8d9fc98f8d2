"""Values that are right alone and wrong together: the services, the waits, recognition."""

import pytest

from dropscribe.model import Secret

REC = "inboxes[0].recognition"
VERBATIM = {"system_reserved_filter": False}


@pytest.mark.parametrize(
    ("keys", "path", "right"),
    [
        ({"model_studio.poll": "{first: 31s}"}, "model_studio.poll.first", "at most `longest`"),
        ({"model_studio.poll": "{longest: 1s}"}, "model_studio.poll.longest", "at most `longest`"),
        ({"retry.first_wait": "16m"}, "retry.first_wait", "at most `longest_wait`"),
        ({"storage.ram_role": "r", "storage.access_key_id": "a"}, "storage.access_key_id", "ram_role"),
        ({"storage.ram_role": "r", "storage.access_key_secret": "a"}, "storage.access_key_secret", "ram_role"),
        ({"storage.ram_role": "r", "storage.session_token": "a"}, "storage.session_token", "ram_role"),
        ({"storage.cname": "true"}, "storage.endpoint", "bound to the bucket"),
        (
            {"storage.cname": "true", "storage.endpoint": "https://oss-cn-beijing.aliyuncs.com"},
            "storage.endpoint",
            "cname: false",
        ),
        (
            {"storage.endpoint": "https://my-bucket.oss-cn-beijing.aliyuncs.com"},
            "storage.endpoint",
            "right is oss-cn-beijing.aliyuncs.com",
        ),
        (
            {"storage.endpoint": "https://oss-cn-beijing-internal.aliyuncs.com"},
            "storage.public_endpoint",
            "https://oss-cn-beijing.aliyuncs.com",
        ),
        ({"storage.endpoint": "http://oss.example.com"}, "storage.endpoint", "insecure: true"),
        (
            {"storage.endpoint": "http://oss.example.com", "model_studio.insecure": "true"},
            "storage.endpoint",
            "insecure: true",
        ),
    ],
)
def test_what_cannot_stand_together_is_one_fault(config, keys, path, right):
    for key, yaml in keys.items():
        config.set(key, yaml)

    problem = config.problem()

    assert problem.path == path
    assert problem.line is not None
    assert right in problem.message


def test_a_role_stands_instead_of_keys_and_leaves_those_of_the_environment_alone(config):
    config.environ["OSS_SESSION_TOKEN"] = "token"

    storage = config.set("storage.ram_role", "uploader").load().storage

    assert storage.ram_role == "uploader"
    assert (storage.access_key_id, storage.access_key_secret, storage.session_token) == ("", Secret(""), None)


def test_temporary_storage_is_one_fault_although_bucket_and_keys_are_missing(config):
    config.environ.clear()
    config.without("storage.bucket").without("storage.region").set("storage.provider", "temporary")

    messages = config.set("model_studio.api_key", "sk-123456").messages()

    assert list(messages) == ["storage.provider"]
    assert "`temporary` is refused until a later release" in messages["storage.provider"]


@pytest.mark.parametrize("section", ["model_studio", "storage"])
def test_plain_http_is_taken_where_insecure_stands_beside_it(config, section):
    config.set(f"{section}.endpoint", "http://10.0.0.1:9000").set(f"{section}.insecure", "true")

    assert getattr(config.load(), section).endpoint == "http://10.0.0.1:9000"


def test_an_internal_endpoint_is_fine_for_uploads_where_urls_point_elsewhere(config):
    config.set("storage.endpoint", "https://oss-cn-beijing-internal.aliyuncs.com")
    config.set("storage.public_endpoint", "https://media.example.com")

    storage = config.load().storage

    assert storage.endpoint == "https://oss-cn-beijing-internal.aliyuncs.com"
    assert storage.public_endpoint == "https://media.example.com"


def test_the_public_endpoint_follows_the_endpoint(config):
    storage = config.set("storage.endpoint", "http://127.0.0.1:9000").load().storage

    assert storage.public_endpoint == "http://127.0.0.1:9000"


def test_custom_domains_are_taken_with_cname(config):
    config.set("storage.cname", "true").set("storage.endpoint", "https://media.example.com")

    storage = config.load().storage

    assert (storage.cname, storage.public_endpoint) == (True, "https://media.example.com")


@pytest.mark.parametrize(
    ("path", "written", "warning"),
    [
        ("model_studio.lost_submit_grace", "59s", "paid twice"),
        ("storage.endpoint", "https://oss-cn-shanghai.aliyuncs.com", "names the region cn-shanghai"),
        (REC, "{language_hint: [zh]}", "did you mean `language_hints`?"),
        (REC, "{language_hints: [zh, en]}", "first language only"),
    ],
)
def test_what_is_possible_but_doubtful_is_a_warning_with_its_line(config, path, written, warning):
    (sentence,) = config.set(path, written).load().warnings

    assert sentence.startswith(path)
    assert f"(line {config.line_of(path.rpartition('.')[2])})" in sentence
    assert warning in sentence


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("model_studio.lost_submit_grace", "1m"),
        ("storage.endpoint", "https://oss-cn-beijing.aliyuncs.com"),
        ("storage.endpoint", "https://oss-accelerate.aliyuncs.com"),
        (REC, "{language_hints: [zh]}"),
    ],
)
def test_what_is_usual_gives_no_warning(config, path, written):
    assert config.set(path, written).load().warnings == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", {}),
        ("{language_hints: [no]}", {"language_hints": ["no"]}),
        ("{language_hints: []}", {"language_hints": []}),
        ("{diarization_enabled: true, speaker_count: 2}", {"diarization_enabled": True, "speaker_count": 2}),
        ("{diarization_enabled: true, channel_id: [1]}", {"diarization_enabled": True, "channel_id": [1]}),
        ("{channel_id: [0, 1]}", {"channel_id": [0, 1]}),
        ("{vocabulary_id: vocab-abc}", {"vocabulary_id": "vocab-abc"}),
        ("{speech_noise_threshold: -1}", {"speech_noise_threshold": -1.0}),
        (
            "{special_word_filter: {system_reserved_filter: false}}",
            {"special_word_filter": VERBATIM},
        ),
        (
            "{special_word_filter: '{\"system_reserved_filter\": false}'}",
            {"special_word_filter": VERBATIM},
        ),
        ("{new_thing: {a: [1, 2.5, null, yes]}}", {"new_thing": {"a": [1, 2.5, None, "yes"]}}),
        ("{new_thing: 2026-01-01}", {"new_thing": "2026-01-01"}),
    ],
)
def test_recognition_settings_that_are_right_are_passed_on(config, written, expected):
    recognition = config.set(REC, written).load().inboxes[0].recognition

    assert recognition == expected
    assert {key: type(value) for key, value in recognition.items()} == {k: type(v) for k, v in expected.items()}


@pytest.mark.parametrize(
    ("written", "suffix", "right"),
    [
        ("{language_hints: zh}", "language_hints", "[zh]"),
        ("{language_hints: [true]}", "language_hints[0]", "such as zh"),
        ("{language_hints: [zh, '']}", "language_hints[1]", "such as zh"),
        ("{language_hints: null}", "language_hints", "[zh]"),
        ("{diarization_enabled: yes}", "diarization_enabled", "true or false"),
        ("{diarization_enabled: true, speaker_count: 1}", "speaker_count", "from 2 to 100"),
        ("{diarization_enabled: true, speaker_count: 101}", "speaker_count", "from 2 to 100"),
        ("{speaker_count: 2}", "speaker_count", "diarization_enabled: true"),
        ("{speaker_count: 2, diarization_enabled: false}", "speaker_count", "diarization_enabled: true"),
        ("{speaker_count: 2, diarization_enabled: 1}", "diarization_enabled", "true or false"),
        ("{diarization_enabled: true, channel_id: [0, 1]}", "channel_id", "one channel"),
        ("{channel_id: 0}", "channel_id", "[0]"),
        ("{channel_id: []}", "channel_id", "[0]"),
        ("{channel_id: [-1]}", "channel_id[0]", "from 0"),
        ("{channel_id: [0, 1, 0]}", "channel_id[2]", "twice"),
        ("{vocabulary_id: [a]}", "vocabulary_id", "vocab-abc"),
        ("{special_word_filter: off}", "special_word_filter", "mapping such as"),
        ("{special_word_filter: '[1]'}", "special_word_filter", "mapping such as"),
        ("{special_word_filter: [1]}", "special_word_filter", "mapping such as"),
        ("{special_word_filter: '{\"a\": NaN}'}", "special_word_filter", "finite"),
        ("{special_word_filter: {a: .nan}}", "special_word_filter", "finite"),
        ("{speech_noise_threshold: low}", "speech_noise_threshold", "a number"),
        ("{new_thing: .inf}", "new_thing", "finite"),
        ('{new_thing: "\\uD800"}', "new_thing", "JSON"),
    ],
)
def test_recognition_settings_that_are_wrong_are_refused(config, written, suffix, right):
    problem = config.set(REC, written).problem()

    assert (problem.path, problem.line) == (f"{REC}.{suffix}", config.line_of("recognition"))
    assert right in problem.message


def test_both_ways_of_writing_a_filter_are_the_same_recognition(config):
    as_mapping = config.set(REC, "{special_word_filter: {b: 1, a: 2}}").load().inboxes[0].recipe
    as_text = config.set(REC, '{special_word_filter: \'{"a": 2, "b": 1}\'}').load().inboxes[0].recipe

    assert as_mapping == as_text
