"""`dropscribe check`: one line each, `ok` or what to do."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cli.house import House
from disks import small_disk
from dropscribe import checks, checks_online
from dropscribe.cli.check import line
from dropscribe.sandbox import RunningSandbox, running_sandbox
from lab import FAST, Lab
from plain_user import plain_user_folder


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(FAST) as running:
        yield running


@pytest.fixture
def online(sandbox: RunningSandbox, tmp_path: Path) -> House:
    """A house whose services are a sandbox."""
    house = House(tmp_path)
    house.config.write_text(Lab(tmp_path, sandbox).config.read_text())
    return house


def change(house: House, section: str, **values: object) -> None:
    content = yaml.safe_load(house.config.read_text())
    content[section] |= values
    house.config.write_text(yaml.safe_dump(content))


def not_ok(out: str) -> list[str]:
    return [said.removeprefix("NOT OK").strip() for said in out.splitlines() if not said.startswith("ok ")]


def test_a_new_house_is_well_and_nothing_is_left_behind(house: House) -> None:
    before = sorted(house.root.rglob("*"))
    ran = house.run("check")
    assert (ran.code, ran.err, not_ok(ran.out)) == (0, "", [])
    assert sorted(house.root.rglob("*")) == before


def test_each_line_says_ok_or_what_to_do(house: House) -> None:
    house.deliver("talk.mp3")
    house.state.chmod(0o755)

    ran = house.run("check")

    assert ran.code == 1
    assert not_ok(ran.out) == [
        f"state: {house.state} can be entered by others (mode 0755): chmod 700 {house.state}",
    ]
    assert "1 thing to see to" in ran.err


def test_a_faulty_configuration_ends_with_78(house: House) -> None:
    house.config.write_text("inboxes: []\n")
    assert house.run("check").code == 78


def test_a_folder_that_may_not_be_written_says_what_to_do() -> None:
    with plain_user_folder() as folder:
        house = House(folder)
        house.outbox.chmod(0o500)
        ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    as_the_daemon_says = f"the folder {house.outbox} cannot be used: Permission denied: give dropscribe's user the"
    assert said.startswith(f"talks outbox: {as_the_daemon_says} right to read and write there")


def test_a_folder_that_could_not_be_created_says_so() -> None:
    with plain_user_folder() as folder:
        closed = folder / "closed"
        closed.mkdir()
        house = House(closed)
        house.done.rmdir()
        closed.chmod(0o555)
        ran = house.run("check")
        closed.chmod(0o777)
    assert ran.code == 1
    assert f"talks done: {house.done} cannot be created in {closed}" in ran.out


@pytest.mark.parametrize("place", ["/proc/talks", "/sys/talks", "/dev/talks"])
def test_a_folder_where_the_kernel_keeps_no_files_is_not_ok(house: House, place: str) -> None:
    house.configure({"name": "talks", "inbox": place, "outbox": "outbox", "done": "done", "failed": "failed"})
    ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert said.startswith(f"talks inbox: {place} lies on ")
    assert said.endswith("which keeps no files: choose a folder on a disk")


def test_memory_that_is_shared_is_a_place_for_files() -> None:
    assert not [one for one in checks.state_folder(Path("/dev/shm/dropscribe-that-is-not-there")) if not one.ok]


def test_a_folder_that_is_a_file_says_so(house: House) -> None:
    house.failed.rmdir()
    house.failed.write_text("a file")
    ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert "what stands there is no folder: move it away" in said


def test_a_link_to_a_folder_that_is_not_there_says_so(house: House) -> None:
    house.failed.rmdir()
    house.failed.symlink_to(house.root / "unmounted")
    ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert "a link that leads nowhere: mount or create what it leads to" in said


def test_a_folder_that_is_yet_to_be_created_wants_room_as_well(house: House) -> None:
    with small_disk(house.root / "disk"):
        house.configure({"name": "talks", "inbox": "inbox", "outbox": "disk/outbox"}, state="disk/state")
        ran = house.run("check")
    assert ran.code == 1
    assert [said.partition(":")[0] for said in not_ok(ran.out)] == ["state", "talks outbox"]
    assert "make room" in ran.out


def test_a_folder_on_another_disk_than_before_may_be_meant(house: House, tmp_path: Path) -> None:
    house.remember_folders()
    with small_disk(house.done):
        ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert said.startswith(f"talks done: the folder {house.done} cannot be used: it lies on another device")
    assert "`dropscribe forget`" in said


def test_a_folder_that_was_there_and_is_missing_is_not_ok(house: House) -> None:
    house.remember_folders()
    house.done.rmdir()
    ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert said.startswith(f"talks done: the folder {house.done} cannot be used")


def test_a_ledger_that_cannot_be_read_is_not_ok(house: House) -> None:
    house.state.mkdir(0o700)
    (house.state / "ledger.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 20)
    ran = house.run("check")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert said.startswith("ledger: ") and "restore a backup" in said


def test_an_old_sqlite_and_a_clock_in_the_past_are_not_ok() -> None:
    assert not checks.database((3, 34, 1)).ok
    assert not checks.clock(86_400.0).ok


def test_too_few_watches_for_the_folders_are_not_ok(house: House) -> None:
    for number in range(9):
        (house.inbox / str(number)).mkdir()
    inboxes = [replace(inbox, watch="events") for inbox in house.settings.inboxes]
    assert [found.ok for found in checks.watches(inboxes, 100)] == [True]
    assert [found.ok for found in checks.watches(inboxes, 10)] == [False]


def test_too_few_inotify_instances_for_the_inboxes_are_not_ok(house: House) -> None:
    inboxes = [replace(inbox, watch="events") for inbox in house.settings.inboxes]
    assert [found.ok for found in checks.watches(inboxes, 100, 10)] == [True]
    assert [found.ok for found in checks.watches(inboxes, 100, 1)] == [False, True]


def test_the_limits_of_this_kernel_are_read() -> None:
    assert checks.inotify_limit("max_user_instances")
    assert checks.inotify_limit("no_such_limit") is None


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"oss2": "2.19.1", "watchdog": "7.1.0"}, []),
        ({"oss2": "2.18.6", "watchdog": "7.0"}, ["oss2 2.18.6 is too old: pip install 'oss2>=2.19'"]),
        ({"watchdog": "6.0.0"}, ["watchdog 6.0.0 is too old: pip install 'watchdog>=7'"]),
    ],
)
def test_a_library_that_fails_quietly_is_named(versions: dict[str, str], said: list[str]) -> None:
    assert [found.text for found in checks.library_traps(versions)] == said


def test_two_libraries_that_overwrite_each_other_are_named() -> None:
    [found] = checks.library_traps({"oss2": "2.19.1", "alibabacloud-oss-v2": "1.2.0"})
    assert not found.ok and "virtual environment of its own" in found.text


@pytest.mark.parametrize(
    ("endpoint", "region", "ok"),
    [
        ("https://dashscope.aliyuncs.com", "cn-shanghai", [True]),
        ("https://dashscope-intl.aliyuncs.com", "ap-southeast-1", [True]),
        ("https://dashscope-intl.aliyuncs.com", "cn-hongkong", [True]),
        ("https://dashscope-intl.aliyuncs.com", "cn-beijing", [False]),
        ("https://ws1.cn-beijing.maas.aliyuncs.com", "ap-southeast-1", [False]),
        ("http://127.0.0.1:9", "cn-beijing", []),
    ],
)
def test_bucket_and_api_have_to_be_on_the_same_side_of_the_border(
    house: House, endpoint: str, region: str, ok: list[bool]
) -> None:
    change(house, "model_studio", endpoint=endpoint)
    change(house, "storage", region=region)
    assert [found.ok for found in checks.parts_of_the_world(house.settings)] == ok


def test_online_a_right_that_is_only_good_to_have_is_no_fault(online: House, sandbox: RunningSandbox) -> None:
    sandbox.inject("list_uploads", "error", status=403, code="AccessDenied", times=None)
    ran = online.run("check", "--online")
    assert (ran.code, not_ok(ran.out)) == (0, [])
    assert "without oss:ListMultipartUploads, which is optional" in ran.out


def test_online_an_account_that_may_not_use_osss_own_domain_is_told_about_its_own(
    online: House, sandbox: RunningSandbox
) -> None:
    sandbox.inject("put", "error", status=403, code="PublicEndpointForbidden", times=None)
    ran = online.run("check", "--online")
    assert ran.code == 1
    assert "storage.cname to true" in ran.out


def test_online_the_bucket_and_the_key_are_tried_and_nothing_is_left_or_billed(
    online: House, sandbox: RunningSandbox
) -> None:
    ran = online.run("check", "--online")

    assert (ran.code, not_ok(ran.out)) == (0, [])
    for about in (
        "bucket: sandbox: put and HEAD",
        "signed URL: ",
        "bucket: delete",
        "bucket: list",
        "API key: ",
        "clock: agrees",
    ):
        assert about in ran.out
    assert "--online" not in ran.out
    state = sandbox.state()
    assert (state["objects"], state["book"]) == ([], [])


def test_online_a_wrong_api_key_says_what_to_do_and_is_not_shown(online: House) -> None:
    change(online, "model_studio", api_key="sk-wrong-and-secret")
    ran = online.run("check", "--online")
    assert ran.code == 1
    [said] = not_ok(ran.out)
    assert said.startswith("API key: InvalidApiKey: ")
    assert ".:" not in said
    assert "sk-wrong" not in ran.out + ran.err


def test_online_wrong_storage_keys_say_what_to_do_and_the_api_is_still_tried(online: House) -> None:
    change(online, "storage", access_key_secret="wrong-and-secret")
    ran = online.run("check", "--online")
    assert ran.code == 1
    assert [said.split(": ")[:2] for said in not_ok(ran.out)] == [["bucket", "SignatureDoesNotMatch"]]
    assert "API key: accepted" in ran.out
    assert "wrong-and-secret" not in ran.out + ran.err


def test_online_a_public_endpoint_that_nobody_answers_shows_no_signature(
    online: House, sandbox: RunningSandbox
) -> None:
    change(online, "storage", public_endpoint="http://127.0.0.1:1")
    ran = online.run("check", "--online")
    assert ran.code == 1
    assert [said.split(":")[0] for said in not_ok(ran.out)] == ["signed URL"]
    assert "ignature" not in ran.out + ran.err
    assert sandbox.state()["objects"] == []


class Redirecting(http.server.BaseHTTPRequestHandler):
    """A public endpoint that sends everybody elsewhere."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere?Signature=secret")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def test_a_redirect_of_the_signed_url_is_not_followed() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found = checks_online.fetched(f"http://127.0.0.1:{server.server_port}/key?Signature=secret", b"x")
    finally:
        server.shutdown()
        server.server_close()
    assert not found.ok
    assert "redirects (HTTP status 302)" in found.text
    assert "secret" not in line(found)


def test_a_clock_that_is_off_says_by_how_much() -> None:
    assert checks_online.clock(30.0).ok
    behind = checks_online.clock(-600.0)
    assert not behind.ok
    assert "600 s behind" in behind.text


def test_keys_that_stand_in_a_file_that_others_can_read_are_pointed_out(house: House) -> None:
    house.config.chmod(0o644)
    assert any("keys stand in it" in line and "chmod 600" in line for line in house.run("check").out.splitlines())

    house.config.chmod(0o600)
    assert "keys stand in it" not in house.run("check").out
