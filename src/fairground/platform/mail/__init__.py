"""Emails and the ways they are sent."""
