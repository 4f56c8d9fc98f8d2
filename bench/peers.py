"""The yardsticks: what a person would write without dropscribe, with oss2 and a plain HTTP client. Run as a program in
the folder of a `config.yaml`; knows nothing of dropscribe.

    peers.py put THREADS FOLDER          every file below FOLDER, without CRC
    peers.py put-one FILE                one file, one request, without CRC; says the seconds of the request
    peers.py loop PAUSE FOLDER TARGET    one task a file, one after the other: upload, submit, ask each PAUSE seconds,
                                         fetch, write
    peers.py submit FILE                 upload and submit one file; says the seconds from the beginning to the answer
"""

import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oss2
import requests
import yaml

CONFIG = yaml.safe_load(Path("config.yaml").read_text())
STORAGE, STUDIO = CONFIG["storage"], CONFIG["model_studio"]
TASKS = f"{STUDIO['endpoint']}/api/v1"


def bucket_for(threads: int) -> oss2.Bucket:
    auth = oss2.AuthV4(STORAGE["access_key_id"], STORAGE["access_key_secret"])
    session = oss2.Session(pool_size=threads)
    where = (STORAGE["endpoint"], STORAGE["bucket"])
    return oss2.Bucket(auth, *where, region=STORAGE["region"], session=session, enable_crc=False)


def put(bucket: oss2.Bucket, path: Path) -> str:
    key = f"bare/{uuid.uuid4().hex}{path.suffix}"
    with open(path, "rb") as file:
        bucket.put_object(key, file)
    return key


def put_all(threads: str, folder: str) -> None:
    bucket = bucket_for(int(threads))
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(lambda path: put(bucket, path), [path for path in Path(folder).rglob("*") if path.is_file()]))


def put_one(path: str) -> None:
    bucket = bucket_for(1)
    start = time.monotonic()
    key = put(bucket, Path(path))
    print(json.dumps(time.monotonic() - start))
    bucket.delete_object(key)


class Studio:
    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {STUDIO['api_key']}"

    def submit(self, url: str) -> str:
        body = {"model": "fun-asr", "input": {"file_urls": [url]}, "parameters": {}}
        headers = {"X-DashScope-Async": "enable"}
        address = f"{TASKS}/services/audio/asr/transcription"
        while (answer := self.session.post(address, json=body, headers=headers, timeout=60)).status_code == 429:
            time.sleep(1.0)  # submitted too often
        answer.raise_for_status()
        task: str = answer.json()["output"]["task_id"]
        return task

    def wait(self, task: str, pause: float) -> str:
        while True:
            answer = self.session.get(f"{TASKS}/tasks/{task}", timeout=60)
            if answer.status_code == 429:  # asked too often
                time.sleep(1.0)
                continue
            answer.raise_for_status()
            output = answer.json()["output"]
            if output["task_status"] == "SUCCEEDED":
                url: str = output["results"][0]["transcription_url"]
                return url
            if output["task_status"] == "FAILED":
                raise SystemExit(f"task failed: {output}")
            time.sleep(pause)

    def fetch(self, url: str) -> bytes:
        answer = requests.get(url, timeout=60)  # signed by its query, not by our key
        answer.raise_for_status()
        return answer.content


def loop(pause: str, folder: str, target: str) -> None:
    bucket, studio = bucket_for(1), Studio()
    Path(target).mkdir()
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        key = put(bucket, path)
        task = studio.submit(bucket.sign_url("GET", key, 3600, slash_safe=True))
        result = studio.fetch(studio.wait(task, float(pause)))
        (Path(target) / f"{path.stem}.json").write_bytes(result)
        bucket.delete_object(key)


def submit(path: str) -> None:
    start = time.monotonic()
    bucket = bucket_for(1)
    Studio().submit(bucket.sign_url("GET", put(bucket, Path(path)), 3600, slash_safe=True))
    print(json.dumps(time.monotonic() - start))


if __name__ == "__main__":
    {"put": put_all, "put-one": put_one, "loop": loop, "submit": submit}[sys.argv[1]](*sys.argv[2:])
