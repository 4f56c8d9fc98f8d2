"""The units under a really booted systemd: what docs/systemd.md promises."""

import json
import os
import re
from pathlib import Path

import pytest

from lab import eventually
from systemd.machine import SANDBOX, SECRETS, Machine, Unit

pytestmark = pytest.mark.systemd

DOCUMENT = Path(__file__).parents[2] / "docs" / "systemd.md"

PROBE = """#!/usr/bin/python3
import json, os, sys
found = {}
for folder in sys.argv[2:]:
    try:
        with open(folder + "/probe", "w"):
            found[folder] = "writable"
        os.unlink(folder + "/probe")
    except OSError as error:
        found[folder] = os.strerror(error.errno)
json.dump(found, open(sys.argv[1], "w"))
"""


def documented_check() -> str:
    """The command of docs/systemd.md that tries everything before the start, as it stands there."""
    [command] = re.findall(r"^systemd-run .*?check --online$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    return str(command)


def delivers(machine: Machine, name: str, inbox: str = "talks") -> None:
    machine.drop(f"{inbox}/inbox/{name}.mp3")
    eventually(lambda: machine.exists(f"/srv/dropscribe/{inbox}/outbox/{name}.json"))


def test_it_is_ready_once_its_inbox_is_there_and_works_with_keys_that_only_root_can_read(
    machine: Machine, unit: Unit
) -> None:
    assert machine.exists("/srv/dropscribe/talks/inbox")
    assert unit.show("ActiveState") == "active"
    assert machine.run("stat -c %a /etc/credstore/dropscribe.dashscope_api_key") == "600"
    delivers(machine, "first")


def test_its_threads_share_one_processor_through_the_filter_of_system_calls(machine: Machine, unit: Unit) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one processor")
    delivers(machine, "side-by-side")
    told = f"awk '/^Cpus_allowed_list/ {{print $2}}' /proc/{unit.pid}/task/*/status | sort -u"
    assert machine.run(told).isdecimal()


def test_the_status_line_says_what_goes_on_and_what_is_out_of_order(machine: Machine, unit: Unit) -> None:
    eventually(lambda: unit.status == "idle")
    machine.stop_sandbox()
    machine.drop("talks/inbox/waits.mp3")
    told = re.compile(r"out of order: .*\(Unreachable\).*; 1 file under way: 1 to upload")
    eventually(lambda: told.fullmatch(unit.status))
    machine.start_sandbox()
    eventually(lambda: machine.exists("/srv/dropscribe/talks/outbox/waits.json"))
    eventually(lambda: unit.status == "idle")


def test_a_reload_takes_a_new_inbox_in_without_a_restart(machine: Machine, unit: Unit) -> None:
    pid = unit.pid
    machine.configure("talks", "calls")
    unit.do("reload")
    eventually(lambda: machine.exists("/srv/dropscribe/calls/inbox"))
    delivers(machine, "call", inbox="calls")
    assert (unit.pid, unit.show("ActiveState")) == (pid, "active")


def test_a_faulty_configuration_is_refused_by_a_reload_and_the_status_line_says_so(
    machine: Machine, unit: Unit
) -> None:
    pid = unit.pid
    machine.write("/etc/dropscribe/config.yaml", "inboxes: 7\n")
    unit.do("reload")
    eventually(lambda: "the last reload was refused" in unit.status)
    assert (unit.pid, unit.show("ActiveState")) == (pid, "active")
    delivers(machine, "after-all")


def test_a_faulty_configuration_at_the_start_is_not_tried_again(machine: Machine) -> None:
    machine.write("/etc/dropscribe/config.yaml", "inboxes: 7\n")
    unit = Unit(machine)
    unit.do("start", check=False)
    assert (unit.show("ActiveState"), unit.show("ExecMainStatus"), unit.restarts) == ("failed", "78", 0)


def test_a_daemon_that_hangs_is_killed_by_the_watchdog_and_started_anew(machine: Machine, unit: Unit) -> None:
    pid = unit.pid
    machine.run(f"kill -STOP {pid}")
    eventually(lambda: unit.pid not in (0, pid))
    eventually(lambda: unit.show("ActiveState") == "active")
    assert unit.restarts == 1
    assert "watchdog" in machine.run("journalctl --quiet --unit=dropscribe --output=cat").lower()
    delivers(machine, "after-the-hang")


def test_a_dead_network_is_no_hang(machine: Machine, unit: Unit) -> None:
    pid = unit.pid
    machine.stop_sandbox()
    machine.drop("talks/inbox/patient.mp3")
    eventually(lambda: "out of order" in unit.status)
    machine.run("sleep 4")  # longer than the watchdog waits
    assert (unit.pid, unit.restarts) == (pid, 0)
    machine.start_sandbox()
    eventually(lambda: machine.exists("/srv/dropscribe/talks/outbox/patient.json"))


def test_killed_it_is_started_anew_and_goes_on(machine: Machine, unit: Unit) -> None:
    machine.drop("talks/inbox/survivor.mp3")
    machine.run(f"kill -KILL {unit.pid}")
    eventually(lambda: machine.exists("/srv/dropscribe/talks/outbox/survivor.json"))
    assert unit.restarts == 1


def test_it_stops_in_time_and_well(machine: Machine, unit: Unit) -> None:
    began = float(machine.run("cut -d' ' -f1 /proc/uptime"))
    unit.do("stop")
    took = float(machine.run("cut -d' ' -f1 /proc/uptime")) - began
    assert took < 11
    assert (unit.show("ActiveState"), unit.show("Result"), unit.show("ExecMainStatus")) == ("inactive", "success", "0")
    assert unit.log()[-1]["event"] == "daemon.stopped"


def test_nothing_but_state_and_its_folders_can_be_written(machine: Machine) -> None:
    everybody = ["/srv/elsewhere", "/var/elsewhere", "/home/somebody", "/opt/elsewhere", "/etc/elsewhere"]
    machine.run(f"install -d -m 777 {' '.join(everybody)}")
    ours = ["/var/lib/dropscribe", "/srv/dropscribe"]
    machine.write("/opt/probe", PROBE, 0o755)
    probed = " ".join([*ours, *everybody, "/", "/usr", "/var/lib", "/run", "/proc/sys/kernel", "/sys/fs/cgroup"])
    command = f"[Service]\nExecStartPost=/opt/probe /var/lib/dropscribe/probe.json {probed}\n"
    machine.write("/etc/systemd/system/dropscribe.service.d/test.conf", command)
    machine.run("systemctl daemon-reload && systemctl start dropscribe")
    found = json.loads(machine.run("cat /var/lib/dropscribe/probe.json"))
    assert {folder for folder, how in found.items() if how == "writable"} == set(ours)
    assert all(found[folder] == "Read-only file system" for folder in everybody if folder != "/home/somebody")


def test_keys_may_be_encrypted(machine: Machine) -> None:
    machine.run("install -d -m 700 /etc/credstore.encrypted")
    lines = ["[Service]", "LoadCredential="]
    for name in SECRETS:
        kept = f"/etc/credstore.encrypted/dropscribe.{name}"
        machine.run(f"systemd-creds encrypt --with-key=host --name={name} /etc/credstore/dropscribe.{name} {kept}")
        lines.append(f"LoadCredentialEncrypted={name}:{kept}")
    machine.write("/etc/systemd/system/dropscribe.service.d/test.conf", "\n".join([*lines, ""]))
    machine.run("mv /etc/credstore /etc/credstore.gone && systemctl daemon-reload && systemctl start dropscribe")
    delivers(machine, "encrypted")
    machine.run("mv /etc/credstore.gone /etc/credstore")


def test_a_second_daemon_has_its_own_configuration_and_state(machine: Machine, unit: Unit) -> None:
    for name in SECRETS:
        machine.run(f"cp -p /etc/credstore/dropscribe.{name} /etc/credstore/dropscribe-second.{name}")
    machine.configure("second", name="second")
    second = Unit(machine, "dropscribe@second")
    second.do("start")
    delivers(machine, "from-second", inbox="second")
    assert machine.exists("/var/lib/dropscribe-second/ledger.sqlite")
    assert second.pid != unit.pid


def test_a_person_of_its_group_drops_files_and_takes_the_results(machine: Machine, unit: Unit) -> None:
    machine.run("id bob || useradd --groups dropscribe bob")
    as_bob = "umask 022; cd /srv/dropscribe/talks && mkdir inbox/mine && echo sound > inbox/mine/talk.mp3"
    machine.run(f"su bob -s /bin/sh -c '{as_bob}'")
    eventually(lambda: machine.exists("/srv/dropscribe/talks/done/mine/talk.mp3"))
    take = "cd /srv/dropscribe/talks/outbox/mine && cat talk.json && mv talk.json talk.srt ../.."
    assert '"schema"' in machine.run(f"su bob -s /bin/sh -c '{take}'")


def test_without_the_extra_the_demo_works_and_says_what_is_missing(machine: Machine) -> None:
    said = machine.run("cd /tmp && /opt/dropscribe/bin/dropscribe demo")
    assert said.startswith("The sandbox does not listen (not installed: pocketsphinx; pip install")
    heard = machine.run("cat /tmp/dropscribe-demo-*/outbox/jfk_en.srt")
    assert "And so, my fellow Americans" in " ".join(heard.split())
    refused = machine.run("/opt/dropscribe/bin/dropscribe sandbox --listen 2>&1; echo $?", check=False)
    assert refused.startswith("Error: --listen needs pocketsphinx") and refused.endswith("\n1")


def test_roots_looks_into_the_ledger_of_a_stopped_daemon_do_not_lock_it_out(machine: Machine, unit: Unit) -> None:
    delivers(machine, "before")
    unit.do("stop")
    machine.run("/opt/dropscribe/bin/dropscribe status --config /etc/dropscribe/config.yaml")
    unit.do("start")
    delivers(machine, "afterwards")
    assert machine.run("stat -c %U /var/lib/dropscribe/* | sort -u") == "dropscribe"


def test_another_user_may_own_it(machine: Machine, unit: Unit) -> None:
    unit.do("stop")
    machine.run("id alice || useradd --create-home alice; install -d -o alice /srv/dropscribe/alice")
    machine.run("install -d -o alice -g alice /home/alice/recordings")
    machine.configure("talks", inboxes=[{"inbox": "/home/alice/recordings/inbox", "settle": "100ms"}])
    lines = ("[Service]", "User=alice", "Group=alice", "ProtectHome=tmpfs", "BindPaths=/home/alice/recordings", "")
    machine.write("/etc/systemd/system/dropscribe.service.d/test.conf", "\n".join(lines))
    machine.run("systemctl daemon-reload && systemctl start dropscribe")
    machine.write("/home/alice/recordings/inbox/mine.mp3", "sound")
    eventually(lambda: machine.exists("/home/alice/recordings/outbox/mine.json"))
    assert machine.run("stat -c %U /home/alice/recordings/outbox/mine.json /var/lib/dropscribe") == "alice\nalice"


def test_status_and_check_find_the_daemon_from_outside(machine: Machine, unit: Unit) -> None:
    delivers(machine, "seen")
    command = "/opt/dropscribe/bin/dropscribe status --config /etc/dropscribe/config.yaml"
    assert "1 delivered" in machine.run(command)
    assert f"accepted by {SANDBOX}" in machine.run(documented_check())


def test_before_the_first_start_the_documented_check_finds_nothing_to_see_to(machine: Machine) -> None:
    assert not machine.exists("/var/lib/dropscribe")
    said = machine.run(documented_check())
    assert "NOT OK" not in said and "/var/lib/dropscribe" in said
