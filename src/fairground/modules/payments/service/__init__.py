"""The operations of payments: one write transaction before every call to the processor, and one after it."""
