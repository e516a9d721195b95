"""Discovery: the read model by which providers are found."""
