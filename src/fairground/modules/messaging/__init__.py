"""Messaging: the conversation of the two sides of a booking, and what each has read of it."""
