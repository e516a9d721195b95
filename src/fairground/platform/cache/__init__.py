"""The response cache: whole answers of public routes, kept per process and, where there is one, in a shared level."""
