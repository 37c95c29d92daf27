"""Transport: what may stand in `relays.toml`, and where in it something is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mobilizer.settings import Credential, HeloName, Host, Rate, said
from mobilizer.transport.relay import Protection

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
_Count = Annotated[int, Field(ge=0, le=1_000_000)]


class RelaysError(ValueError):
    """What is wrong with `relays.toml`: a line each, with the place in the file."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class RelayTable(_Table):
    """One `[[relay]]`."""

    name: _Name
    host: Host
    port: int = Field(default=25, ge=1, le=65535)
    tls: Protection = "starttls"
    user: Credential = ""
    password: Credential = Field(default="", repr=False)
    password_file: str = ""
    weight: int = Field(default=1, ge=1, le=1000)
    connections: int = Field(default=20, ge=1, le=500)
    messages_per_connection: _Count = 0
    rate: Rate = ""
    provider_rates: dict[_Name, Rate] = {}
    helo: HeloName = ""

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password and self.password_file:
            raise ValueError("has both password and password_file: keep one")
        if (self.password or self.password_file) and not self.user:
            raise ValueError("has a password but no user")
        return self


class ProviderTable(_Table):
    """One `[[provider]]`."""

    name: _Name
    domains: list[_Domain] = []
    mx: list[_Domain] = []
    rate: Rate = ""


class RelaysFile(_Table):
    """The whole file."""

    relay: list[RelayTable] = []
    provider: list[ProviderTable] = []


def read(text: str) -> RelaysFile:
    """The tables of a file. Raises tomllib.TOMLDecodeError, which names a line, and RelaysError."""
    tables = tomllib.loads(text)
    try:
        found = RelaysFile.model_validate(tables)
    except ValidationError as error:
        told = [_told(text, tables, one["loc"], said(one["type"], one["msg"])) for one in error.errors()]
        raise RelaysError("\n".join(told)) from None
    if twice := [*_twice(text, "relay", found.relay), *_twice(text, "provider", found.provider)]:
        raise RelaysError("\n".join(twice))
    return found


def _told(text: str, tables: dict[str, Any], loc: tuple[int | str, ...], wrong: str) -> str:
    """ "line 7, relay “main”, rate: write a number ..." """
    family, number, *keys = [*loc, 0, 0][: max(2, len(loc))]
    if not isinstance(number, int) or len(loc) < 2:
        return f"line {_line(text, str(family), 0, '')}, {family}: {wrong}"
    name = _name(tables, str(family), number)
    key = ".".join(map(str, keys))
    place = f"line {_line(text, str(family), number, str(keys[0]) if keys else '')}, {family} {name}"
    return f"{place}, {key}: {wrong}" if key else f"{place} {wrong}"


def _name(tables: dict[str, Any], family: str, number: int) -> str:
    table = tables[family][number]
    name = table.get("name") if isinstance(table, dict) else None
    return f"“{name}”" if isinstance(name, str) else str(number + 1)


def _line(text: str, family: str, number: int, key: str) -> int:
    """The line of a key in the table of that number; of the table's head, where the key isn't there."""
    heads = [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{family}\s*\]\]", line)]
    if number >= len(heads):  # written in some other way that TOML has
        return next((n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[*{family}\b", line)), 1)
    for n, line in enumerate(text.splitlines()[heads[number] :], heads[number] + 1):
        if re.match(r"\s*\[\[", line):
            break
        if key and re.match(rf"\s*[\"']?{re.escape(key)}\b|\s*\[{family}\.{re.escape(key)}\]", line):
            return n
    return heads[number]


def _twice(text: str, family: str, tables: Sequence[RelayTable | ProviderTable]) -> Iterator[str]:
    seen: set[str] = set()
    for number, table in enumerate(tables):
        if table.name in seen:
            yield f"line {_line(text, family, number, 'name')}, {family} “{table.name}”: there are two of this name"
        seen.add(table.name)
