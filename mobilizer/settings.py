"""Ground: every setting there is, typed, from the environment. The only module that reads `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, ValidationError, computed_field
from pydantic_settings import BaseSettings, SettingsConfigDict

SETTINGS_FILE = "mobilizer.env"
HELO = r"[A-Za-z0-9.:\[\]-]{1,255}"
SECONDS_IN = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_HOST = r"[^\s/@\x00-\x1f]{1,255}"
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)/([smhd])")


def per_second(rate: str) -> float:
    """What "100/s", "10/m", "3600/h" or "50000/d" comes to in a second; 0 for an empty text. Raises ValueError."""
    found = _RATE.fullmatch(rate)
    number = float(found[1]) / SECONDS_IN[found[2]] if found else 0.0
    if rate and not number:
        raise ValueError("write a number above 0 and a time, as 100/s, 10/m, 3600/h or 50000/d")
    return number


# Where pydantic's own words would puzzle an operator.
_SAID = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
    "string_pattern_mismatch": "can't be written like this",
    "list_type": "write it as a list; for tables: [[relay]], [[provider]]",
    "model_type": "is not a table: write [[relay]], [[provider]]",
}


def _variable(name: str) -> str:
    return name if name.isupper() else f"MOBILIZER_{name.upper()}"


def _quoted(text: str) -> str:
    """A value as a line of `mobilizer.env` says it, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rate(text: str) -> str:
    per_second(text)
    return text


def _credential(text: str) -> str:
    if "\0" in text:
        raise ValueError("it can't contain a NUL")
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Credential = Annotated[str, AfterValidator(_credential)]
Host = Annotated[str, Field(pattern=f"^{_HOST}$")]
HeloName = Annotated[str, Field(pattern=f"^({HELO})?$")]


class Settings(BaseSettings):
    """What an operator may set, as `MOBILIZER_<NAME>`; docs/operations.md lists each one."""

    model_config = SettingsConfigDict(
        env_prefix="MOBILIZER_",
        env_file=None,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # it may be a password
        # A secret may come as a file (`/run/secrets/mobilizer_smtp_password`) instead of a variable.
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
    )

    home: Path = Field(default=Path("var"), description="Folder of the embedded database, keys and media.")
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("database_url", "DATABASE_URL", "MOBILIZER_DATABASE_URL"),
        description="SQLAlchemy address of the database; empty: SQLite in the home folder.",
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        validation_alias=AliasChoices("redis_url", "REDIS_URL", "MOBILIZER_REDIS_URL"),
        description="Address of the Redis-protocol server that carries the queue.",
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000", description="Public address of the web server, as members reach it."
    )
    trusted_proxies: int = Field(
        default=0, ge=0, description="How many reverse proxies stand ahead and set X-Forwarded-For and -Proto."
    )
    web_threads: int = Field(
        default=24, ge=1, le=256,
        description="Requests at once in each web process; a third may wait for who sends slowly, a third for who "
        "takes a long answer slowly.",
    )  # fmt: skip
    web_patience_seconds: float = Field(
        default=20, gt=0, le=60,
        description="How long a web server waits for the headers of a request, and for the next one on a connection.",
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severity that is logged."
    )
    log_format: Literal["json", "text"] = Field(
        default="json", description="How a line of the log is written: for programs or for people."
    )

    organisation: str = Field(default="Our organisation", description="Name shown in every mail and page.")
    postal_address: str = Field(default="", description="Postal address in every mail's footer, as the law asks.")
    sender_name: str = Field(default="", description="Display name in From; empty: the organisation.")
    sender_address: str = Field(default="appeals@localhost.localdomain", description="Address in From.")
    reply_to: str = Field(default="", description="Address in Reply-To; empty: none.")
    discreet_base_url: str = Field(
        default="",
        description="As `base_url`, at a domain that does not say what you stand for: of discreet blasts and letters.",
    )
    discreet_sender_address: str = Field(
        default="", description="Address in From of discreet blasts and letters; its domain is their return path's too."
    )
    bounce_domain: str = Field(
        default="", description="Domain of the return path and of Message-ID; empty: the sender's."
    )
    receives_mail: bool = Field(
        default=False,
        description="Whether mail for `u+...` at the bounce domain is handed to `mobilizer receive`: only then do "
        "mails offer to unsubscribe by mail.",
    )
    brand_colour: str = Field(
        default="#a5123d", pattern=r"^#[0-9a-f]{6}$", description="The one hue of the primary action."
    )

    smtp_host: Host = Field(default="127.0.0.1", description="The relay that takes the mail.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="The relay's port.")
    smtp_user: Credential = Field(default="", description="User name at the relay; empty: no sign-in.")
    smtp_password: Credential = Field(default="", repr=False, description="Password at the relay.")
    smtp_tls: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="How the connection to the relay is protected; never less than this."
    )
    smtp_connections: int = Field(default=20, ge=1, le=500, description="Connections one worker opens to the relay.")
    smtp_rate: Rate = Field(
        default="", description="Most messages the relay takes from all workers together, as 100/s, 10/m, 3600/h or "
        "50000/d; empty: no limit but what its answers teach.",
    )  # fmt: skip
    smtp_messages_per_connection: int = Field(
        default=0, ge=0, description="Messages after which a connection is made anew; 0: as many as the relay takes."
    )
    smtp_connect_seconds: float = Field(default=30, gt=0, description="Wait for a connection to the relay.")
    smtp_command_seconds: float = Field(default=300, gt=0, description="Wait for the relay's answer to a command.")
    smtp_reply_seconds: float = Field(
        default=600, gt=0, description="Wait for the relay's answer to a message; after it the message is uncertain."
    )
    expected_workers: int = Field(
        default=4, ge=1, le=10_000,
        description="Workers to reckon with, at least: while Redis is away, each keeps "
        "to its share of every limit.",
    )  # fmt: skip
    helo_name: HeloName = Field(default="", description="Name said in EHLO; empty: this host's.")
    loopback_only: bool = Field(default=False, description="Refuse to send anywhere but this machine (demo).")
    inbox: bool = Field(default=False, description="Show the built-in inbox at /inbox (demo only).")

    default_language: str = Field(default="en", description="Where every fallback chain ends.")
    import_megabytes: int = Field(
        default=4000, ge=1, le=1_000_000,
        description="Largest file of members in MB (1,000,000 bytes); on disk it takes twice that while it arrives.",
    )  # fmt: skip
    batch_size: int = Field(default=1000, ge=1, le=10_000, description="Deliveries in one batch.")
    lease_seconds: float = Field(
        default=120,
        gt=0,
        le=3600,
        description="How long a worker that says nothing keeps the batches it has leased.",
    )
    reconcile_seconds: float = Field(
        default=2.0, gt=0, description="Period of the reconciler: the longest delay a lost Redis can cost."
    )
    undo_seconds: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="How long a launch can be undone before anything leaves; 0: not at all.",
    )
    launch_by_two: bool = Field(
        default=False, description="Whether every launch waits until a second person has looked and said yes."
    )
    hold_after: int = Field(default=5, ge=1, description="A blast is held after this many relay troubles in a row.")
    metrics_token: str = Field(
        default="",
        pattern=r"^(\S{16,})?$",
        repr=False,
        description="Whoever says it (`Authorization: Bearer ...`) may read /metrics; empty: nobody.",
    )
    failpoint: str = Field(
        default="", description="Where to be killed, for the self test only: 'claim.after_commit:7'."
    )
    session_hours: int = Field(default=12, ge=1, description="How long an organizer stays signed in.")
    keep_events_days: int = Field(
        default=730, ge=30, description="How long it is known who opened, clicked or watched; sums of blasts stay."
    )
    keep_replies_days: int = Field(
        default=90, ge=7, description="How long a relay's words on each mail are kept after its blast is over."
    )
    keep_reports_days: int = Field(
        default=30, ge=1, description="How long the report of an import and the names of its file and columns are kept."
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def database(self) -> str:
        """The SQLAlchemy address in force, naming the psycopg driver for PostgreSQL."""
        if not self.database_url:
            return f"sqlite:///{self.home.resolve() / 'mobilizer.sqlite3'}"
        for scheme in ("postgres://", "postgresql://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def import_bytes(self) -> int:
        """Largest file of members, in bytes."""
        return self.import_megabytes * 1_000_000

    @property
    def media(self) -> Path:
        """Folder of the posters, videos and captions; a file's name starts with its content's hash."""
        return self.home / "media"

    @property
    def sender_domain(self) -> str:
        """Domain of the From address: the one whose DKIM key signs."""
        return self.sender_address.rpartition("@")[2]

    @property
    def return_domain(self) -> str:
        """Domain of the return path and of Message-ID."""
        return self.bounce_domain or self.sender_domain

    @property
    def has_discreet_site(self) -> bool:
        """Whether there is a domain, and an address to write from, that do not say whose they are."""
        return bool(self.discreet_base_url and self.discreet_sender_address)

    @property
    def discreet_name(self) -> str:
        """What the discreet site goes by, and its letters come from: its own domain, as it is spelled here."""
        return urlsplit(self.discreet_base_url).netloc

    @property
    def discreet_return_domain(self) -> str:
        """The same of discreet blasts."""
        return self.discreet_sender_address.rpartition("@")[2] or self.return_domain


def load_settings(home: Path | None = None) -> Settings:
    """The settings in force: a variable of the environment, else a line of `mobilizer.env` in the home folder.

    `home` is the command line's; else `MOBILIZER_HOME` says it. Raises pydantic.ValidationError.
    """
    folder = home or Path(os.environ.get("MOBILIZER_HOME") or "var")
    return Settings(home=folder, _env_file=folder / SETTINGS_FILE)  # type: ignore[call-arg]


def keep_settings(settings: Settings, values: Mapping[str, object]) -> Settings:
    """The settings with some of them changed, and kept in `mobilizer.env` so that every process finds them.

    Raises pydantic.ValidationError, and keeps nothing, where a value can't be.
    """
    told = {name: getattr(settings, name) for name in Settings.model_fields}
    changed = Settings(**{**told, **values})
    path = settings.home / SETTINGS_FILE
    mine = {_variable(name): str(getattr(changed, name)) for name in values}
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in mine]
    written = [f"{name}={_quoted(value)}" for name, value in mine.items()]
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join([*kept, *written, ""]))
    beside.replace(path)
    return changed


def kept_settings(settings: Settings, names: Iterable[str]) -> Settings:
    """The settings with what is set for some of them by now. Raises pydantic.ValidationError."""
    if not (settings.home / SETTINGS_FILE).exists():
        return settings
    loaded = load_settings(settings.home)
    said = {name: getattr(loaded, name) for name in names if name in loaded.model_fields_set}
    changed = {name: value for name, value in said.items() if value != getattr(settings, name)}
    return settings.model_copy(update=changed) if changed else settings


def set_outside(name: str) -> bool:
    """Whether a setting comes from the environment, where nothing that is kept in a file counts."""
    return _variable(name) in os.environ


def wrong_settings(error: ValidationError) -> str:
    """What is wrong with the settings, a line each, by the variables that set them; no value is repeated."""
    return "\n".join(f"{_variable(str(one['loc'][0]))}: {said(one['type'], one['msg'])}" for one in error.errors())


def said(kind: str, message: str) -> str:
    """What pydantic says of a value, in words for an operator."""
    return _SAID.get(kind, message.removeprefix("Value error, "))


def child_environment(**changes: str) -> dict[str, str]:
    """This process's environment with `changes`: what a child process is started with."""
    return {**os.environ, **changes}
