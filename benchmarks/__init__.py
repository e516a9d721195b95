"""Every figure we claim, as a ratio measured in one run."""
