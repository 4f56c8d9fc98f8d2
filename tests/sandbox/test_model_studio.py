"""The sandbox's Model Studio over plain HTTP: shapes, refusals, rates, downloads and the bill."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from dropscribe.sandbox import RunningSandbox, SandboxSettings, demo_recordings, running_sandbox

Put = Callable[..., str]
RECORDINGS = {path.name: path.read_bytes() for path in demo_recordings()}


def result_of(answer: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return dict(requests.get(answer["output"]["results"][index]["transcription_url"], timeout=5).json())


def codes(answer: dict[str, Any]) -> list[str | None]:
    return [r.get("code") for r in answer["output"]["results"]]


def test_a_known_recording_gets_its_true_words(studio: Any, put: Put) -> None:
    url = put("jfk.flac", RECORDINGS["jfk_en.flac"])

    document = result_of(studio.transcribe(url))

    assert document["file_url"] == url
    assert document["properties"] == {
        "audio_format": "flac",
        "channels": [0],
        "original_sampling_rate": 44100,
        "original_duration_in_milliseconds": 11000,
    }
    [transcript] = document["transcripts"]
    assert transcript["text"].startswith("And so, my fellow Americans, ask not what your country")
    assert "".join(w["text"] + w["punctuation"] for w in transcript["sentences"][0]["words"]) == transcript["text"]


def test_mandarin_words_are_in_order_within_their_sentence(studio: Any, put: Put) -> None:
    document = result_of(studio.transcribe(put("welcome.wav", RECORDINGS["welcome_zh.wav"])))

    [sentence] = document["transcripts"][0]["sentences"]
    assert sentence["text"] == "欢迎大家来体验达摩院推出的语音识别模型。"
    times = [t for w in sentence["words"] for t in (w["begin_time"], w["end_time"])]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (sentence["begin_time"], sentence["end_time"])


def test_any_other_content_gets_a_transcript_that_says_that_nobody_listened(studio: Any, put: Put) -> None:
    content = b"some sound" * 1000

    first, second = (result_of(studio.transcribe(put("x.mp3", content))) for _ in range(2))

    text = first["transcripts"][0]["text"]
    assert text.startswith("The sandbox cannot hear.")
    assert hashlib.sha256(content).hexdigest()[:16] in text
    assert first["transcripts"] == second["transcripts"]


def test_speakers_and_channels_are_told_only_where_they_were_asked_for(studio: Any, put: Put) -> None:
    url = put("x.wav", b"some sound")

    plain = result_of(studio.transcribe(url))
    asked = result_of(studio.transcribe(url, parameters={"diarization_enabled": True, "channel_id": [0, 1]}))

    assert "speaker_id" not in plain["transcripts"][0]["sentences"][0]
    assert [t["channel_id"] for t in asked["transcripts"]] == [0, 1]
    assert asked["transcripts"][0]["sentences"][0]["speaker_id"] == 0


def test_a_task_goes_from_pending_over_running_to_its_end(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    sandbox.change(pending_seconds=100, task_seconds=200)
    submitted = studio.submit(put("x.wav", b"some sound")).json()
    task_id = submitted["output"]["task_id"]
    pending = studio.query(task_id)
    sandbox.advance(101)
    running = studio.query(task_id)
    sandbox.advance(101)
    ended = studio.done(task_id)

    assert submitted["output"]["task_status"] == "PENDING"
    assert pending["output"]["task_status"] == "PENDING"
    assert pending["output"]["task_metrics"] == {"TOTAL": 1, "SUCCEEDED": 0, "FAILED": 0}
    assert running["output"]["task_status"] in ("PENDING", "RUNNING")
    assert "results" not in pending["output"] and "results" not in running["output"] and "usage" not in running
    assert ended["output"]["task_status"] == "SUCCEEDED"
    assert ended["output"]["task_metrics"] == {"TOTAL": 1, "SUCCEEDED": 1, "FAILED": 0}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", ended["output"]["end_time"])
    assert ended["usage"]["duration"] > 0


def test_what_cannot_be_fetched_or_heard_fails_alone_with_its_code(studio: Any, put: Put) -> None:
    good = put("good.wav", b"sound")
    expired, gone = put("expired.wav", b"sound", 1) + "0", good.replace("good.wav", "other.wav")
    silent, broken = put("silent.wav", b"NOSPEECH..."), put("broken.wav", b"BROKEN:DECODE_ERROR and more")
    elsewhere = "http://127.0.0.1:1/nobody-listens.wav"

    answer = studio.transcribe(good, expired, gone, silent, broken, elsewhere, "http://127.0.0.1/a b.wav")

    assert answer["output"]["task_status"] == "SUCCEEDED"
    assert codes(answer) == [
        None,
        "FILE_403_FORBIDDEN",
        "FILE_403_FORBIDDEN",
        "SUCCESS_WITH_NO_VALID_FRAGMENT",
        "DECODE_ERROR",
        "InvalidFile.DownloadFailed",
        "InvalidFile.DownloadFailed",
    ]
    assert answer["output"]["task_metrics"] == {"TOTAL": 7, "SUCCEEDED": 1, "FAILED": 6}


def test_an_object_that_was_deleted_before_the_download_is_not_found(studio: Any, bucket: Any, put: Put) -> None:
    url = put("a.wav", b"sound")
    bucket.delete_object("a.wav")

    answer = studio.transcribe(url)

    assert answer["output"]["task_status"] == "FAILED"
    assert answer["output"]["code"] == "FILE_404_NOT_FOUND"
    assert codes(answer) == ["FILE_404_NOT_FOUND"]


def test_a_task_without_any_success_can_be_called_succeeded_as_some_documents_have_it(
    studio: Any, sandbox: RunningSandbox, put: Put
) -> None:
    sandbox.change(all_failed="SUCCEEDED")

    answer = studio.transcribe(put("silent.wav", b"NOSPEECH"))

    assert answer["output"]["task_status"] == "SUCCEEDED"
    assert codes(answer) == ["SUCCESS_WITH_NO_VALID_FRAGMENT"]


def test_every_success_is_billed_and_nothing_else(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    urls = [put("a.wav", b"one"), put("b.wav", b"two"), put("c.wav", b"NOSPEECH")]

    first, second = studio.transcribe(*urls), studio.transcribe(urls[0])

    book = sandbox.state()["book"]
    one, two = (hashlib.sha256(content).hexdigest() for content in (b"one", b"two"))
    assert sorted((e["sha256"], e["file"]) for e in book) == sorted(
        [(one, "/sandbox/a.wav"), (two, "/sandbox/b.wav"), (one, "/sandbox/a.wav")]
    )
    assert sum(e["seconds"] for e in book) == first["usage"]["duration"] + second["usage"]["duration"]
    assert "x-oss-signature" not in json.dumps(sandbox.state())


def test_without_parameters_the_submit_is_taken_and_the_task_fails(studio: Any, put: Put) -> None:
    answer = studio.transcribe(put("a.wav", b"sound"), parameters=None)

    assert answer["output"]["task_status"] == "FAILED"
    assert answer["output"]["code"] == "BadRequest.EmptyParameters"
    assert "results" not in answer["output"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "fun-asr-9"}, 404, "ModelNotFound"),
        ({"model": None}, 400, "BadRequest.EmptyModel"),
        ({"input": None}, 400, "BadRequest.EmptyInput"),
        ({"input": {"file_urls": []}}, 400, "InvalidParameter"),
        ({"input": {"file_urls": ["http://x/y"] * 101}}, 400, "InvalidParameter"),
        ({"parameters": {"speaker_count": 1}}, 400, "InvalidParameter"),
        ({"parameters": {"special_word_filter": {"system_reserved_filter": False}}}, 400, "InvalidParameter"),
    ],
)
def test_a_submit_that_makes_no_sense_is_refused_and_makes_no_task(
    studio: Any, sandbox: RunningSandbox, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = studio.submit("http://127.0.0.1/a.wav", **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "request_id"}
    assert sandbox.state()["tasks"] == []


def test_a_submit_has_to_ask_for_asynchronous_work(studio: Any) -> None:
    del studio.headers["X-DashScope-Async"]

    answer = studio.submit("http://127.0.0.1/a.wav")

    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDenied")


@pytest.mark.parametrize("header", ["Bearer sk-other", "sk-sandbox", ""])
def test_a_wrong_key_opens_nothing(studio: Any, header: str) -> None:
    studio.headers["Authorization"] = header

    answers = [studio.submit("http://x/y"), studio.get("/api/v1/tasks/x"), studio.get("/api/v1/tasks/")]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "InvalidApiKey")] * 3


def test_accounts_do_not_see_each_others_tasks(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    sandbox.change(other_accounts={"sk-other": "other"})
    task_id = studio.submit(put("a.wav", b"sound")).json()["output"]["task_id"]

    studio.headers["Authorization"] = "Bearer sk-other"

    assert studio.query(task_id)["output"] == {"task_id": task_id, "task_status": "UNKNOWN"}
    assert studio.list()["data"] == []


def test_result_urls_refuse_a_key_and_answer_for_24_hours(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    answer = studio.transcribe(put("a.wav", b"sound"))
    url = answer["output"]["results"][0]["transcription_url"]

    with_key = requests.get(url, headers=studio.headers, timeout=5)
    forged = requests.get(url.replace("Expires=", "Expires=9"), timeout=5)
    sandbox.advance(24 * 3600 - 60)
    late = requests.get(url, timeout=5)
    sandbox.advance(120)
    too_late = requests.get(url, timeout=5)

    assert [r.status_code for r in (with_key, forged, late, too_late)] == [403, 403, 200, 403]
    assert "Request has expired" in too_late.text
    assert studio.query(answer["output"]["task_id"])["output"]["task_status"] == "UNKNOWN"


def test_the_list_is_flat_paged_newest_first_and_filtered(studio: Any, put: Put) -> None:
    url = put("a.wav", b"sound")
    ids = [studio.submit(url, model=m).json()["output"]["task_id"] for m in ("fun-asr", "fun-asr", "fun-asr-mtl")]

    pages = [studio.list(page_size=2, page_no=n) for n in (1, 2, 3)]

    assert [[t["task_id"] for t in p["data"]] for p in pages] == [ids[:0:-1], ids[:1], []]
    assert {k: v for k, v in pages[0].items() if k not in ("data", "request_id")} == {
        "total": 3,
        "total_page": 2,
        "page_no": 1,
        "page_size": 2,
    }
    assert [t["task_id"] for t in studio.list(model_name="fun-asr-mtl")["data"]] == [ids[2]]
    assert [t["task_id"] for t in studio.list(task_id=ids[0])["data"]] == [ids[0]]
    assert studio.list(status="CANCELED")["total"] == 0


def test_the_lists_window_is_in_shanghai_time_and_at_most_24_hours(studio: Any, put: Put) -> None:
    studio.submit(put("a.wav", b"sound"))
    created = re.sub(r"\D", "", studio.query(studio.list()["data"][0]["task_id"])["output"]["submit_time"])[:14]
    day = created[:8]

    end = datetime.strptime(created, "%Y%m%d%H%M%S") + timedelta(seconds=1)

    around = studio.list(start_time=created, end_time=end.strftime("%Y%m%d%H%M%S"))
    too_long = studio.get("/api/v1/tasks/", start_time="20200101000000", end_time=f"{day}000000")

    assert around["total"] == 1
    assert (too_long.status_code, too_long.json()["code"]) == (400, "InvalidParameter")


def test_only_a_pending_task_can_be_cancelled_and_it_is_never_billed(
    studio: Any, sandbox: RunningSandbox, put: Put
) -> None:
    sandbox.change(pending_seconds=100)
    task_id = studio.submit(put("a.wav", b"sound")).json()["output"]["task_id"]

    first, second = (studio.post(f"/api/v1/tasks/{task_id}/cancel") for _ in range(2))
    sandbox.advance(200)

    assert first.json() == {"request_id": first.json()["request_id"]}
    assert (second.status_code, second.json()["code"]) == (400, "UnsupportedOperation")
    assert studio.query(task_id)["output"]["task_status"] == "CANCELED"
    assert sandbox.state()["book"] == []


def test_the_eleventh_submit_of_a_second_is_throttled_for_its_model_only(studio: Any, sandbox: RunningSandbox) -> None:
    answers = [studio.submit("http://127.0.0.1:1/a.wav") for _ in range(11)]
    other_model = studio.submit("http://127.0.0.1:1/a.wav", model="fun-asr-mtl")

    assert [a.status_code for a in answers] == [200] * 10 + [429]
    assert answers[-1].json()["code"] == "Throttling.RateQuota"
    assert other_model.status_code == 200
    submits = sandbox.state()["calls"]["submit"]
    assert (submits["throttled"], submits["largest_rate"]) == (1, 12)


def test_the_other_rates_hold_as_well_and_can_be_switched_off() -> None:
    settings = SandboxSettings(query_rate=2, list_rate=1, cancel_rate=1, mtl_submits_a_minute=1)
    with running_sandbox(settings) as sandbox:
        studio = requests.Session()
        studio.headers = {"Authorization": "Bearer sk-sandbox", "X-DashScope-Async": "enable"}
        mtl = {"model": "fun-asr-mtl", "input": {"file_urls": ["http://127.0.0.1:1/a"]}, "parameters": {}}

        def statuses() -> list[int]:
            tasks = f"{sandbox.url}/api/v1/tasks"
            return [
                *(studio.get(f"{tasks}/x").status_code for _ in range(3)),
                *(studio.get(f"{tasks}/").status_code for _ in range(2)),
                *(studio.post(f"{tasks}/x/cancel").status_code for _ in range(2)),
                *(
                    studio.post(f"{sandbox.url}/api/v1/services/audio/asr/transcription", json=mtl).status_code
                    for _ in range(2)
                ),
            ]

        assert statuses() == [200, 200, 429, 200, 429, 400, 429, 200, 429]
        sandbox.change(enforce_rates=False)
        assert 429 not in statuses()


def test_every_answer_carries_the_sandboxs_time(studio: Any, sandbox: RunningSandbox) -> None:
    sandbox.advance(7200)

    answers = [studio.get("/api/v1/tasks/x"), requests.get(f"{sandbox.url}/sandbox/a", timeout=5)]

    now = sandbox.state()["now"]
    assert all(abs(parsedate_to_datetime(a.headers["Date"]).timestamp() - now) < 5 for a in answers)
