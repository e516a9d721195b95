"""The SQL of discovery."""
