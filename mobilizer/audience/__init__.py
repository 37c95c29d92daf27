"""Audience: who our members are, which lists they are on, and who must not be mailed."""
