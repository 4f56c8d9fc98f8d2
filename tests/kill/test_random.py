"""Deaths from outside, at moments nobody chose."""

import random
from pathlib import Path

import pytest

from dropscribe.sandbox import running_sandbox
from lab import FAST, Lab, eventually, files_below, sha256

pytestmark = pytest.mark.kill

FILES = 300
DEATHS = 10


def test_three_hundred_files_survive_ten_kills_and_each_content_is_billed_once(tmp_path: Path) -> None:
    chance = random.Random(20261120)
    with running_sandbox(FAST) as sandbox:
        lab = Lab(tmp_path, sandbox)
        lab.configure(batch={"max_wait": "100ms"}, model_studio={"max_urls_per_task": 20})
        files = {}
        waiting = [f"{n % 7}/{n % 3}/talk {n}.mp3" for n in range(FILES)]
        for _ in range(DEATHS):
            for path in waiting[:30]:
                content = f"content {len(files) % 270}".encode() * 99  # thirty are said twice
                files[path] = lab.drop(path, content)
            waiting = waiting[30:]
            with lab.start() as daemon:
                moment = chance.randint(1, 55)  # thirty files give at least sixty lines
                eventually(lambda: len(daemon.events()) >= moment)  # noqa: B023 - called at once
                daemon.kill()
        assert lab.run_once().returncode == 0

        assert files_below(lab.done) == files
        assert files_below(lab.inbox) == {}
        stems = {path.removesuffix(".mp3") for path in files}
        assert set(lab.outputs()) == {f"{stem}.{suffix}" for stem in stems for suffix in ("json", "srt")}
        assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}
        lab.assert_bucket_is_empty()
        lab.assert_nothing_private_is_left()
