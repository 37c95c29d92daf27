"""Organizers: the people who run blasts. Users, roles, sessions, the audit log."""
