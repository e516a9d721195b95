"""What a developer's machine needs: the bootstrap, and the servers that tests talk to."""
