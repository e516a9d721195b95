"""Bring other people's lists of providers in: read, map, check, write, and name every row that does not fit."""
