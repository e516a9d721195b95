"""The response cache: responses of public routes, stored per process and, where there is one, in a shared level."""
