"""The rules of discovery: pure, no I/O."""
