"""Bench: a petition's file. Any number of people as a spreadsheet of theirs has them, written as it is made up."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from mobilizer.bench.people import ODD, names_of
from mobilizer.demo.names import ODD_NAMES, TONGUES

HEADER = ("E-mail", "Name", "Language", "Country", "City")
FIELDS = {"email": 0, "name": 1, "language": 2, "country": 3}
ATTRIBUTES = {"city": 4}
_SMALL_DOMAINS = 5000


def write_petition(path: Path, rows: int) -> None:
    """A CSV file of so many people, each of them once: all scripts and languages of the demo, names with signs that
    need quotes, one in twelve without a name, one in twenty-five at a domain that few share."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_people(rows))


def _people(rows: int) -> Iterator[tuple[str, str, str, str, str]]:
    tongues = [tongue for tongue in TONGUES.values() for _ in range(tongue.share)]
    named = {id(tongue): names_of(tongue) for tongue in tongues}
    for number in range(1, rows + 1):
        odd = number * ODD
        tongue = tongues[odd % len(tongues)]
        names = named[id(tongue)]
        name, local = names[odd // 7 % len(names)]
        country, time_zone = tongue.places[odd // 3 % len(tongue.places)]
        domain = tongue.domains[odd // 11 % len(tongue.domains)]
        if number % 25 == 0:
            domain = f"d{odd % _SMALL_DOMAINS}.example"
        if number % 1000 == 0:
            name = ODD_NAMES[number // 1000 % len(ODD_NAMES)]
        yield (
            f"{local}.{number}@{domain}",
            "" if number % 12 == 0 else name,
            tongue.tags[odd // 5 % len(tongue.tags)],
            country,
            time_zone.rpartition("/")[2].replace("_", " "),
        )
