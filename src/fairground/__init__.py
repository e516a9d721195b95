"""Fairground: an open booking marketplace that grows with its operator."""

__version__ = "0.1.0"
