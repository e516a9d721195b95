"""The services of imports."""
