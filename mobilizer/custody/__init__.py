"""Custody: what is kept of people, under which key, and for how long."""
