"""Keys, signed URLs and their query strings never reach a log, an error file or the state folder."""

import gzip
import signal
import subprocess

from lab import Lab, eventually, files_below

KEYS = (b"sk-sandbox", b"sandbox-secret")
QUERIES = (b"x-oss-signature", b"abcdef0123", b"Signature=", b"Expires=", b"x-oss-credential")
TOLD = "cannot get https://b.oss.example/k?x-oss-signature=abcdef0123&x-oss-credential=AKID"


def written(lab: Lab, ran: subprocess.CompletedProcess[str]) -> dict[str, bytes]:
    """All that a run left: files, what is packed in the ledger, and the log."""
    files = files_below(lab.root)
    del files["config.yaml"]
    results = lab.ledger("SELECT body FROM result")
    files |= {f"result {n}": gzip.decompress(body) for n, (body,) in enumerate(results)}
    return files | {"log": (ran.stdout + ran.stderr).encode()}


def found(files: dict[str, bytes], secrets: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    return [(path, secret) for path, data in files.items() for secret in secrets if secret in data]


def everything_complains(lab: Lab, message: str) -> None:
    lab.sandbox.inject("subtask", "fail", code="FILE_PARSE_FAILED", message=message, times=1)
    lab.sandbox.inject("submit", "error", status=500, code="Odd", message=message, times=1)
    lab.sandbox.inject("put", "error", status=503, code="Odd", message=message, times=1)
    lab.sandbox.inject("query", "error", status=400, code="Odd", message=message, times=1)
    lab.sandbox.inject("result", "error", status=503, code="Odd", message=message, times=1)
    lab.drop("talk.mp3")
    lab.drop("bad.mp3")


def test_no_signed_address_is_written_down_whatever_the_services_say(lab: Lab) -> None:
    everything_complains(lab, TOLD)

    ran = lab.run_once()

    assert ran.returncode == 2, ran.stderr
    files = written(lab, ran)
    assert found(files, (*KEYS, *QUERIES)) == []
    [error] = [data for path, data in files.items() if path.endswith(".error.json")]
    assert b"://" not in error


def test_a_key_in_use_stays_covered_when_another_was_read(lab: Lab) -> None:
    """A reload that wants another account is refused, and the daemon goes on with the key that it has."""
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        lab.configure(model_studio={"api_key": "sk-another"})
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.logged("reload.refused"))

        lab.drop("notes on sk-sandbox and sk-another.mp3")

        eventually(lambda: daemon.logged("file.taken"))
        said = daemon.log_path.read_bytes()
    assert found({"log": said}, (*KEYS, b"sk-another")) == []


def test_a_key_that_a_service_echoes_is_not_written_down(lab: Lab) -> None:
    everything_complains(lab, "not allowed for sk-sandbox (sandbox-secret)")

    ran = lab.run_once()

    assert ran.returncode == 2, ran.stderr
    assert found(written(lab, ran), KEYS) == []
