"""Pictures: what is let in, how it is decoded out of harm's way, and what is made of it."""
