"""Builds and runs the program; the only package that imports modules."""
