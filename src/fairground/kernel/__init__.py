"""Vocabulary shared by every part of the program: pure, no I/O."""
