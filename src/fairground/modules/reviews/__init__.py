"""Reviews: written by both sides of a completed booking."""
