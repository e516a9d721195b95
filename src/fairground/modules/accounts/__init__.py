"""Accounts: registration, sign-in, sessions, passwords and the proof of an e-mail address."""
