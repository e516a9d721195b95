"""Verticals are data: one TOML pack each, the schema they must fit, and the loader. Beside contracts, above kernel."""
