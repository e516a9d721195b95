"""Time of providers: hours, slots, allocations and zones. Knows no money and no status of a booking."""
