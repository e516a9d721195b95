"""The rules of bookings: pure, no I/O."""
