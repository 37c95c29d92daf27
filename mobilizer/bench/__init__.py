"""Bench: how fast the real thing is. A throw-away organisation, its own SMTP sink, and figures as ratios."""
