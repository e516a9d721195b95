"""The tables of the platform itself: idempotency keys, rate limits and the operator log."""
