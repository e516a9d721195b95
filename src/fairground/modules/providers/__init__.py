"""Providers: providers, what they offer, and how they are found."""
