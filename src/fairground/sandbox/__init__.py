"""Fakes of the companies that an installation depends on, so that it works without an account at any of them."""
