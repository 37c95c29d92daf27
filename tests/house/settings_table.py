"""House: the table of settings in docs/operations.md. `python -m tests.house.settings_table` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from mobilizer.settings import Settings

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"
PREFIX = str(Settings.model_config["env_prefix"])


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable that sets a field; where it has two, the one that other tools know first."""
    alias = field.validation_alias
    names = [str(c) for c in alias.choices if str(c) != name] if isinstance(alias, AliasChoices) else []
    return " or ".join(f"`{one}`" for one in names) or f"`{PREFIX}{name.upper()}`"


def default(field: FieldInfo) -> str:
    """A field's default as an operator would write it; a dash where it is empty."""
    value = field.default
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{said}`" if said else "–"


def table() -> str:
    """The table: variable, default, meaning, in the order of the settings."""
    return "\n".join(_lines())


def documented(text: str) -> str:
    """The table that a document has between its marks; empty if it has none."""
    _, _, rest = text.partition(BEGIN)
    inside, end, _ = rest.partition(END)
    return inside.strip() if end else ""


def rewritten(text: str) -> str:
    """A document with its table written anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def _lines() -> Iterator[str]:
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        meaning = (field.description or "").replace("|", "\\|")
        yield f"| {variable(name, field)} | {default(field)} | {meaning} |"


if __name__ == "__main__":
    OPERATIONS.write_text(rewritten(OPERATIONS.read_text(encoding="utf-8")), encoding="utf-8")
