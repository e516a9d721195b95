"""Every SQL statement of the booking module."""
