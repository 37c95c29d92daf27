"""`mobilizer bench sharing`: whatever it says of speed, the tree is that of its simulation."""

from __future__ import annotations

from mobilizer.bench import sharing
from mobilizer.installation import Installation


def test_the_tree_agrees_with_the_simulation(installation: Installation) -> None:
    figures = sharing.run(installation, 400)
    assert figures.books
    assert (figures.members, figures.recruits, figures.visits) == (400, 380, 400)
    assert figures.generations > 3
