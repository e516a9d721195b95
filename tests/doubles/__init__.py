"""Small stand-ins that answer a contract from memory, for tests of modules that lean on it."""
