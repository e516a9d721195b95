"""The response cache, as operators see it: its figures, emptying it, and three calls that prove it."""
