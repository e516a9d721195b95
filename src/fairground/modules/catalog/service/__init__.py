"""The services of providers."""
