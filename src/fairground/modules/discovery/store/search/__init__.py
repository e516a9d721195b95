"""Search: the engine as a port, and the one that is built in."""
