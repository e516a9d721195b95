"""Reactions to events, and the job that mails."""
