"""What payments does: one transaction before every call to the processor, and one after it."""
