"""Imports: rows of other systems, and the pictures embedded in them."""
