"""Pictures as operators see them: how they stand, and having them made before anybody asks."""
