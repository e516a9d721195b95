"""The rules of time: pure, no I/O."""
