"""Bookings: their terms, their transitions, and the money that follows. Knows time, which knows no deals."""
