"""The service of accounts: a facade, and one object for each subject behind it."""
