"""Search: the engine as a port, the one that is built in, and what it is told of providers."""
