"""Run by the SDK's own interpreter: transcribe the URLs with the official SDK, print what it saw as JSON.

Usage: sdk_client.py BASE_URL API_KEY URL...
"""

import json
import sys

import dashscope
from dashscope.audio.asr import Transcription


def main(base_url: str, api_key: str, *urls: str) -> None:
    dashscope.base_http_api_url = base_url
    dashscope.api_key = api_key
    submitted = Transcription.async_call(model="fun-asr", file_urls=list(urls), diarization_enabled=True)
    if submitted.status_code != 200:
        print(json.dumps({"submitted": [submitted.status_code, submitted.code, submitted.message]}))
        return
    fetched = Transcription.fetch(task=submitted.output.task_id)
    ended = Transcription.wait(task=submitted.output.task_id)
    listed = Transcription.list(page_no=1, page_size=10)
    cancelled = Transcription.cancel(submitted.output.task_id)
    seen = {
        "submitted": [submitted.status_code, submitted.output.task_status],
        "fetched": [fetched.status_code, fetched.output.task_status, fetched.output.task_metrics["TOTAL"]],
        "ended": [ended.status_code, ended.output.task_status],
        "results": [[r["subtask_status"], r.get("transcription_url"), r.get("code")] for r in ended.output.results],
        "usage": ended.usage["duration"],
        "listed": [listed.status_code],
        "cancelled": [cancelled.status_code, cancelled.code],
    }
    print(json.dumps(seen))


main(*sys.argv[1:])
