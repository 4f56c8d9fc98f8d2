"""What a reload changes, and what it must not forget."""

from pathlib import Path

from clocks import FakeClock
from dropscribe.config import load
from dropscribe.reloading import Reloader
from dropscribe.rooms import Rooms
from dropscribe.supervisor import Supervisor
from houses import CONFIG

SECRETS = ["first-secret", "second-secret", "third-secret"]


async def test_what_is_in_flight_may_repeat_a_secret_of_any_earlier_configuration(tmp_path: Path) -> None:
    """A large upload with a session token that is exchanged every quarter of an hour."""
    config = tmp_path / "config.yaml"

    def configure(secret: str) -> None:
        config.write_text(CONFIG.replace("access_key_secret: s}", f"access_key_secret: {secret}}}"))

    configure(SECRETS[0])
    rooms = Rooms(load(config, {}), FakeClock(), None, None, False, 0.0, lambda: [], lambda: False)
    reloader = Reloader(rooms, Supervisor(lambda: None), lambda: load(config, {}))
    try:
        for secret in SECRETS[1:]:
            configure(secret)
            reloader.reload()
        said = rooms.house.clean(f"denied: {', '.join(SECRETS)}")
    finally:
        rooms.companions.close()
        await rooms.house.recogniser.close()
        rooms.pools.close()
        rooms.ledger.close()

    assert [secret for secret in SECRETS if secret in said] == []
