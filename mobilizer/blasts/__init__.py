"""Blasts: send this appeal to them. The blast, its lifecycle and the checks before launch."""
