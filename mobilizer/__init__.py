"""Mobilizer: one appeal, every language, exactly one e-mail to every member."""

__version__ = "0.1.0"
