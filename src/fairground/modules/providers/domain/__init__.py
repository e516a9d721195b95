"""The rules of the catalog: pure, no I/O."""
