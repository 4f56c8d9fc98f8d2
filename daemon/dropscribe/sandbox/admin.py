"""The sandbox's own calls under `/_sandbox/`: look inside, set faults, move the clock, change settings.

A page in a browser must not reach them: a request with an Origin, or for a host that is not this machine, is refused.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dropscribe.sandbox.answers import Answer, json_answer
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.faults import Fault

PREFIX = "/_sandbox/"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Controls(Protocol):
    """What can be done to a sandbox from outside; every method raises ValueError for values that make no sense."""

    def state(self) -> dict[str, Any]: ...

    def inject(self, fault: Fault) -> None: ...

    def clear_faults(self) -> None: ...

    def advance(self, seconds: float) -> None: ...

    def change(self, settings: Mapping[str, Any]) -> None: ...


async def handle(call: Call, controls: Controls) -> Answer:
    """One call; what it does is answered with `{"ok": true}`, what it refuses with 4xx and a sentence."""
    if "origin" in call.headers or not _is_loopback(call.headers.get("host", "")):
        return _refused(403, "The sandbox's own calls are for programs on this machine, not for pages in a browser.")
    actions: dict[tuple[str, str], Callable[[Any], Answer]] = {
        ("GET", "state"): lambda _: json_answer(controls.state()),
        ("POST", "faults"): lambda body: _done(lambda: _inject(controls, body)),
        ("DELETE", "faults"): lambda _: _done(controls.clear_faults),
        ("POST", "clock"): lambda body: _done(lambda: _set_clock(controls, body)),
        ("POST", "settings"): lambda body: _done(lambda: controls.change(body)),
    }
    action = actions.get((call.method, call.path.removeprefix(PREFIX)))
    if action is None:
        return _refused(404, "The sandbox has no such call of its own.")
    try:
        return action(json.loads(await call.body.read() or b"{}"))
    except (ValueError, TypeError, AttributeError) as error:
        return _refused(400, str(error))


def _is_loopback(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host) in _LOOPBACK


def _done(act: Callable[[], None]) -> Answer:
    act()
    return json_answer({"ok": True})


def _refused(status: int, message: str) -> Answer:
    return json_answer({"ok": False, "message": message}, status)


def _inject(controls: Controls, body: Any) -> None:
    for given in body if isinstance(body, list) else [body]:
        controls.inject(Fault.from_json(given))


def _set_clock(controls: Controls, body: Mapping[str, Any]) -> None:
    if unknown := sorted(set(body) - {"advance", "speed"}):
        raise ValueError(f"the clock can be given advance and speed, not {', '.join(unknown)}")
    if "speed" in body:
        controls.change({"speed": float(body["speed"])})
    controls.advance(float(body.get("advance", 0)))
