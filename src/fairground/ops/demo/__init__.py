"""The demo's content: invented providers, customers, bookings, reviews and pictures. Pure, equal for equal seeds."""
