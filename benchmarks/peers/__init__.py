"""Programs that we are measured against."""
