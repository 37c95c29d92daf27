"""Transport: messages on the wire, and what the relay answered. Knows no story."""
