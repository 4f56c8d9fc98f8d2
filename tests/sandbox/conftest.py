"""A sandbox that works fast, and ways to speak to it: oss2 for the storage, requests for Model Studio."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import oss2
import pytest
import requests
from oss2.credentials import StaticCredentialsProvider

from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox

Bucket = Callable[..., oss2.Bucket]


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    settings = SandboxSettings(pending_seconds=0.02, task_seconds=0.05, file_seconds=0, memory_limit=100_000)
    with running_sandbox(settings) as running:
        yield running


@pytest.fixture
def bucket_as(sandbox: RunningSandbox) -> Bucket:
    """Open the bucket with other credentials, region or auth than the right ones."""

    def open_bucket(
        *, key: str = "sandbox", secret: str = "sandbox-secret", region: str = "cn-beijing", name: str = "sandbox"
    ) -> oss2.Bucket:
        auth = oss2.ProviderAuthV4(StaticCredentialsProvider(key, secret))
        return oss2.Bucket(auth, sandbox.url, name, region=region)

    return open_bucket


@pytest.fixture
def bucket(bucket_as: Bucket) -> oss2.Bucket:
    return bucket_as()


class Studio:
    """Model Studio as a plain HTTP client sees it."""

    def __init__(self, url: str, key: str = "sk-sandbox") -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}", "X-DashScope-Async": "enable"}

    def submit(self, *urls: str, **changes: Any) -> requests.Response:
        body = {"model": "fun-asr", "input": {"file_urls": list(urls)}, "parameters": {}} | changes
        given = {name: value for name, value in body.items() if value is not None}
        return self.post("/api/v1/services/audio/asr/transcription", json=given)

    def post(self, path: str, **how: Any) -> requests.Response:
        return requests.post(self.url + path, headers=self.headers, timeout=5, **how)

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return requests.get(self.url + path, params=parameters, headers=self.headers, timeout=5)

    def query(self, task_id: str) -> dict[str, Any]:
        return dict(self.get(f"/api/v1/tasks/{task_id}").json())

    def list(self, **parameters: Any) -> dict[str, Any]:
        return dict(self.get("/api/v1/tasks/", **parameters).json())

    def done(self, task_id: str) -> dict[str, Any]:
        """The query's answer once the task has ended; at most five seconds from now."""
        deadline = time.monotonic() + 5
        while (answer := self.query(task_id))["output"]["task_status"] in ("PENDING", "RUNNING"):
            assert time.monotonic() < deadline, answer
            time.sleep(0.06)
        return answer

    def transcribe(self, *urls: str, **changes: Any) -> dict[str, Any]:
        """Submit and wait."""
        return self.done(self.submit(*urls, **changes).json()["output"]["task_id"])


@pytest.fixture
def studio(sandbox: RunningSandbox) -> Studio:
    return Studio(sandbox.url)


@pytest.fixture
def put(bucket: oss2.Bucket) -> Callable[..., str]:
    """Store bytes; give the signed URL to fetch them."""

    def store(key: str, content: bytes, lifetime: int = 3600) -> str:
        bucket.put_object(key, content)
        return str(bucket.sign_url("GET", key, lifetime, slash_safe=True))

    return store
