"""The services of discovery."""
