"""A local stand-in for Alibaba Cloud OSS and Model Studio (Fun-ASR), for trying out and for tests.

It speaks both services' HTTP protocols on one port of 127.0.0.1, verifies every signature and key, keeps to the rate
limits, really downloads what it is told to recognise, and refuses what the real services refuse. What it knows is gone
when it stops.

It does not listen, unless it is told to (`SandboxSettings.listens`; English, with the extra `sandbox`). Recordings that
it knows by their SHA-256 (`recordings/`) get their true words; any other content gets a transcript that says so.
Contents that begin with these bytes have another fate:

    NOSPEECH        the file fails with SUCCESS_WITH_NO_VALID_FRAGMENT, as silence does
    BROKEN:<CODE>   the file fails with <CODE>, every time (letters, digits, `_` and `.`)

What is to go wrong is data: see `faults.Fault`. Under `/_sandbox/`, for programs on this machine only:

    GET    state                                    objects, uploads, tasks, billing book, counters of all calls, faults
    POST   faults    {"call": ..., "does": ...}     one fault or a list of them
    DELETE faults
    POST   clock     {"advance": seconds, "speed": factor}
    POST   settings  {"submit_rate": 100, ...}      names of `settings.SandboxSettings`

Rates are counted in real seconds, all other times on the sandbox's clock.
"""

from dropscribe.sandbox.agreement import Agreement, agreement
from dropscribe.sandbox.ear import missing as missing_ear
from dropscribe.sandbox.faults import Fault
from dropscribe.sandbox.running import RunningSandbox, running_sandbox
from dropscribe.sandbox.server import Sandbox
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.transcripts import demo_recordings

__all__ = [
    "Agreement",
    "Fault",
    "RunningSandbox",
    "Sandbox",
    "SandboxSettings",
    "agreement",
    "demo_recordings",
    "missing_ear",
    "running_sandbox",
]
