"""The response cache for operators: its counters, flushing it by hand, and requests that prewarm and verify it."""
