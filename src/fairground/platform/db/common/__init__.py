"""What every database has, whichever modules live in it."""
