"""Every SQL statement of deals."""
