"""Run by the SDK's own interpreter: does with the official SDK what lines of JSON on stdin ask, and prints what it got.

Usage: sdk_session.py BASE_URL API_KEY; a line is {"do": a call of Transcription, ...its arguments}.
"""

import json
import sys
from typing import Any

import dashscope
from dashscope.audio.asr import Transcription


def answer(do: str, **arguments: Any) -> dict[str, Any]:
    response = getattr(Transcription, do)(**arguments)
    told = {name: response.get(name) for name in ("status_code", "code", "message", "request_id", "output", "usage")}
    return json.loads(json.dumps(told, default=dict))


def main(base_url: str, api_key: str) -> None:
    dashscope.base_http_api_url = base_url
    dashscope.api_key = api_key
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)


main(*sys.argv[1:])
