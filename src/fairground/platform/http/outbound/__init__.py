"""Requests to servers whose address a user, a file or another system has named."""
