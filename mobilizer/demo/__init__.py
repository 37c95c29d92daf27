"""Demo: a whole organisation in a box. Its words and pictures, its seeded past, and the processes that run it."""

APPEAL = BLAST = "love-always-wins"
EARLIER = "a-seat-at-the-table"
MEMBERS = 2000
