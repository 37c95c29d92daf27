"""Delivery: send it, exactly. The ledger of who gets it, and the workers' path from a row to the relay."""
