"""Selftest: the proof of the sending promise, for any set-up. Everything goes wrong, then the books are checked."""
