"""The rules of booking: pure, no I/O."""
