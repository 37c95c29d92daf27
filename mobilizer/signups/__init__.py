"""Signups: joining by one's own act. Somebody asks, their address confirms, and they are welcomed."""
