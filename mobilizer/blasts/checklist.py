"""Blasts: a line of the check list, and the three ways to make one."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.problems import Problem


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of the list. `level` is 'ok', 'warning' (amber) or 'error' (red: no launch).

    `language` and `field` say where to mend it; both empty: the blast itself.
    """

    level: str
    problem: Problem
    language: str = ""
    field: str = ""


def green(code: str, message: str, **params: object) -> CheckLine:
    """All is well, and says so."""
    return CheckLine("ok", Problem(code, message, params, "warning"))


def amber(code: str, message: str, language: str = "", field: str = "", /, **params: object) -> CheckLine:
    """Worth a look before launch."""
    return CheckLine("warning", Problem(code, message, params, "warning"), language, field)


def red(code: str, message: str, language: str = "", field: str = "", /, **params: object) -> CheckLine:
    """No launch until it is mended."""
    return CheckLine("error", Problem(code, message, params), language, field)
