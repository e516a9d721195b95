"""Imports of providers from files: rows are read, mapped, checked and written, and rejected ones are named."""
