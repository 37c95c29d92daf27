"""Pace: how fast we may go, at each relay and to each mailbox provider. A craft: it knows no story."""
