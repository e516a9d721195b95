"""Pure rules of media."""
