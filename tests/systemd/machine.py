"""A machine with a really booted systemd on which dropscribe is installed the way docs/systemd.md says."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from dropscribe.sandbox import SandboxSettings
from lab import eventually

REPOSITORY = Path(__file__).parents[2]
INSTALLED = REPOSITORY / ".venv-systemd"
"""A virtual environment of the system's own Python with the package and nothing else; `make systemd` makes it."""
SCRIPT = Path(__file__).with_name("lab.sh")
UNITS = REPOSITORY / "systemd"
PORT = 8765
SANDBOX = f"http://127.0.0.1:{PORT}"
SECRETS = {
    "dashscope_api_key": SandboxSettings.api_key,
    "oss_access_key_id": SandboxSettings.access_key_id,
    "oss_access_key_secret": SandboxSettings.access_key_secret,
}
QUICK = """
[Service]
WatchdogSec=3
TimeoutAbortSec=1
RestartSec=100ms
"""
"""Waits of a test; everything else is as the unit says."""


def missing() -> str | None:
    """Why there can be no such machine here."""
    if os.geteuid() != 0:
        return "a systemd can only be booted by root"
    for tool in ("/lib/systemd/systemd", "unshare", "nsenter", "ip", "setfacl"):
        if shutil.which(tool) is None:
            return f"{tool} is missing (Debian: apt-get install systemd util-linux iproute2 acl)"
    if not INSTALLED.is_dir():
        return f"{INSTALLED.name} is missing; `make systemd` makes it and runs these tests"
    return None


class Machine:
    """All paths are those within the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def boot(self) -> None:
        self._lab("start")

    def power_off(self) -> None:
        self._lab("stop")

    def _lab(self, *arguments: str, given: bytes = b"", check: bool = True) -> str:
        """What the script said. Raises AssertionError, with all of it, where it fails and `check` is set."""
        done = subprocess.run(
            ["/bin/bash", str(SCRIPT), *arguments],
            env={"SYSTEMD_LAB": str(self._folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            cwd="/",
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = done.stdout.decode().strip()
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {said}\n{done.stderr.decode()}"
        return said

    def run(self, command: str, check: bool = True, given: bytes = b"") -> str:
        """A shell command as root, with `given` on its stdin; its output."""
        return self._lab("exec", "/bin/bash", "-c", command, given=given, check=check)

    def copy(self, source: Path, target: str) -> None:
        """What lies in a folder of the real machine, into one of this."""
        packed = subprocess.run(["tar", "--create", "--directory", str(source), "."], capture_output=True, check=True)
        self.run(f"mkdir -p {target} && tar --extract --no-same-owner --directory {target}", given=packed.stdout)

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        self.run(f"install -D -m {mode:o} /dev/stdin {shlex.quote(path)}", given=content.encode())

    def install(self) -> None:
        """User, program, units, keys and folders: docs/systemd.md in short. The sandbox stands in for the services."""
        self.run("id dropscribe || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin dropscribe")
        self.run("/usr/bin/python3 -m venv --without-pip /opt/dropscribe")
        self.copy(INSTALLED / "lib", "/opt/dropscribe/lib")
        start = "#!/opt/dropscribe/bin/python\nfrom dropscribe.cli import main\nmain()\n"
        self.write("/opt/dropscribe/bin/dropscribe", start, 0o755)
        self.copy(UNITS, "/etc/systemd/system")
        for unit in ("dropscribe", "dropscribe@"):
            self.write(f"/etc/systemd/system/{unit}.service.d/quick.conf", QUICK)
        for name, secret in SECRETS.items():
            self.write(f"/etc/credstore/dropscribe.{name}", f"{secret}\n", 0o600)
        self.run("install -d -m 2770 -o dropscribe -g dropscribe /srv/dropscribe")
        self.run("setfacl --default --modify g:dropscribe:rwX /srv/dropscribe")
        self.run("systemctl daemon-reload")

    def start_sandbox(self) -> None:
        """Where it does not run already."""
        if self.run("systemctl is-active sandbox", check=False) == "active":
            return
        command = f"/opt/dropscribe/bin/dropscribe sandbox --port {PORT} --task-seconds 0.2 --no-rates"
        self.run(f"systemd-run --quiet --collect --unit=sandbox {command}")
        eventually(lambda: self.run(f"ss -Hltn sport = {PORT}"))

    def stop_sandbox(self) -> None:
        self.run("systemctl stop sandbox")

    def configure(self, *inboxes: str, name: str = "config", **sections: Any) -> None:
        """/etc/dropscribe/NAME.yaml with keys from systemd and these inboxes below /srv/dropscribe."""
        key = "${credential:%s}"
        content: dict[str, Any] = {
            "state": "/var/lib/dropscribe" if name == "config" else f"/var/lib/dropscribe-{name}",
            "model_studio": {
                "endpoint": SANDBOX,
                "api_key": key % "dashscope_api_key",
                "poll": {"first": "100ms", "longest": "500ms"},
            },
            "storage": {
                "bucket": SandboxSettings.bucket,
                "region": SandboxSettings.region,
                "endpoint": SANDBOX,
                "access_key_id": key % "oss_access_key_id",
                "access_key_secret": key % "oss_access_key_secret",
            },
            "batch": {"max_wait": "100ms"},
            "retry": {"first_wait": "200ms", "longest_wait": "500ms"},
            "inboxes": [{"inbox": f"/srv/dropscribe/{folder}/inbox", "settle": "100ms"} for folder in inboxes],
        }
        self.write(f"/etc/dropscribe/{name}.yaml", yaml.safe_dump(content | sections))

    def drop(self, path: str, content: str = "sound") -> None:
        """Into the inbox, whole at once."""
        self.write(f"/tmp/{os.path.basename(path)}", content)
        self.run(f"mv /tmp/{shlex.quote(os.path.basename(path))} /srv/dropscribe/{shlex.quote(path)}")

    def exists(self, path: str) -> bool:
        return self.run(f"test -e {shlex.quote(path)} && echo yes", check=False) == "yes"


class Unit:
    """One service of a machine."""

    def __init__(self, machine: Machine, name: str = "dropscribe") -> None:
        self._machine, self.name = machine, name

    def do(self, verb: str, check: bool = True) -> str:
        return self._machine.run(f"systemctl {verb} {self.name}", check=check)

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self._machine.run(f"systemctl show --property={name} --value {self.name}")

    @property
    def pid(self) -> int:
        return int(self.show("MainPID"))

    @property
    def restarts(self) -> int:
        return int(self.show("NRestarts"))

    @property
    def status(self) -> str:
        """What the daemon says of itself."""
        return self.show("StatusText")

    def log(self) -> list[dict[str, Any]]:
        """The daemon's own events, oldest first."""
        text = self._machine.run(f"journalctl --quiet --output=cat --unit={self.name}")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
