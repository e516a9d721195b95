"""Every SQL statement of time: allocations, hours and zones."""
