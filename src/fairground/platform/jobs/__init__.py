"""Jobs and events: one table that is outbox and queue, and the worker that runs its jobs."""
