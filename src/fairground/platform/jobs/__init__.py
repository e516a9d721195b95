"""Jobs and events: one table that is outbox and queue, and the worker that empties it (ARCHITECTURE §4, §5.11)."""
