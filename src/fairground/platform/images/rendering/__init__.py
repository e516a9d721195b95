"""Decoding, scaling and encoding: only ever in a child process (`platform.images.child`)."""
