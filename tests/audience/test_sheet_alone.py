"""The first file that a process ever reads may have a cell of three million letters."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from mobilizer.audience.importing import look
sheet = look(b"email,name\\nana@example.org," + b"x" * 3_000_000 + b"\\n")
print(sheet.rows, sheet.delimiter)
"""


def test_the_first_look_of_a_fresh_process_bears_three_megabytes_in_a_field() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1", ","]
