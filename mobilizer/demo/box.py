"""Demo: the box. The home folder of a demo, the ports it uses, and the settings that keep its mail on this machine."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from mobilizer.settings import SETTINGS_FILE, Settings, child_environment

HOST = "127.0.0.1"
WEB_PORT, SMTP_PORT, QUEUE_PORT = 8000, 1025, 6390


class NotADemo(RuntimeError):
    """The database belongs to somebody: invented members have no place in it."""


@dataclass(frozen=True, slots=True)
class Box:
    """One demo: where it lives and what it is told. `own_queue` says that we start the Redis-protocol server; `rate` is
    the most its relay takes ('100/s'), empty for no limit; `undo_seconds` how long a launch can be undone."""

    home: Path
    web_port: int
    smtp_port: int
    queue_port: int
    redis_url: str
    own_queue: bool
    rate: str = ""
    undo_seconds: int = 60

    @property
    def address(self) -> str:
        """Where the browser goes."""
        return f"http://{HOST}:{self.web_port}"

    @property
    def log(self) -> Path:
        """Folder of the processes' logs."""
        return self.home / "log"

    def values(self) -> dict[str, str]:
        """Every setting of the demo, as its environment variable: nothing of the caller's mail settings is left."""
        return {
            "MOBILIZER_HOME": str(self.home),
            "DATABASE_URL": "",
            "MOBILIZER_DATABASE_URL": "",
            "REDIS_URL": self.redis_url,
            "MOBILIZER_BASE_URL": self.address,
            "MOBILIZER_ORGANISATION": "Everyone Belongs",
            "MOBILIZER_POSTAL_ADDRESS": "12 Hope Street, 1200 Lisbon, Portugal",
            "MOBILIZER_SENDER_NAME": "Everyone Belongs",
            "MOBILIZER_SENDER_ADDRESS": "appeals@mail.example.org",
            "MOBILIZER_REPLY_TO": "hello@example.org",
            "MOBILIZER_BOUNCE_DOMAIN": "bounce.example.org",
            "MOBILIZER_SMTP_HOST": HOST,
            "MOBILIZER_SMTP_PORT": str(self.smtp_port),
            "MOBILIZER_SMTP_TLS": "none",
            "MOBILIZER_SMTP_USER": "",
            "MOBILIZER_SMTP_PASSWORD": "",
            "MOBILIZER_SMTP_RATE": self.rate,
            "MOBILIZER_UNDO_SECONDS": str(self.undo_seconds),
            "MOBILIZER_LAUNCH_BY_TWO": "false",
            "MOBILIZER_LOOPBACK_ONLY": "true",
            "MOBILIZER_INBOX": "true",
            "MOBILIZER_TRUSTED_PROXIES": "0",
        }

    def environment(self) -> dict[str, str]:
        """What a child process is started with."""
        return child_environment(**self.values())

    def settings(self) -> Settings:
        """The demo's settings in this process."""
        fields = {
            "home": self.home,
            **{n.removeprefix("MOBILIZER_").lower(): v for n, v in self.values().items() if n != "MOBILIZER_HOME"},
        }
        return Settings(**fields)  # type: ignore[arg-type]

    def write_settings(self) -> None:
        """Write the settings into the home folder, for other commands to find; make the folder of the logs."""
        self.log.mkdir(parents=True, exist_ok=True)
        lines = (f'{name}="{value}"\n' for name, value in self.values().items() if name != "MOBILIZER_HOME")
        (self.home / SETTINGS_FILE).write_text("# Written by `mobilizer demo`.\n" + "".join(lines), encoding="utf-8")


def open_box(home: Path, redis_url: str = "", *, usual_ports: bool = True) -> Box:
    """A box in a home folder, on ports that are free now; `redis_url` empty: a server of its own."""
    taken: set[int] = set()
    web, smtp, queue = (_free_port(port if usual_ports else 0, taken) for port in (WEB_PORT, SMTP_PORT, QUEUE_PORT))
    return Box(home.resolve(), web, smtp, queue, redis_url or f"redis://{HOST}:{queue}/0", own_queue=not redis_url)


def _free_port(wanted: int, taken: set[int]) -> int:
    """The wanted port, else one of the next twenty, else any."""
    for port in (*range(wanted, wanted + 20), 0) if wanted else (0,):
        if port in taken:
            continue
        try:
            with socket.create_server((HOST, port)) as probe:
                found: int = probe.getsockname()[1]
        except OSError:
            continue
        taken.add(found)
        return found
    raise OSError("no free port on this machine")
