"""Reviews: what the two sides of a completed booking say of it."""
