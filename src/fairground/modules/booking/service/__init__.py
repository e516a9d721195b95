"""What booking does; `BookingService` in `booking.py` implements the contract from the parts beside it."""
