"""Decoding, scaling and encoding: loaded by child processes alone (`platform.images.child`)."""
