"""A module of its own, to show that a program needs nothing but the name of a module."""
