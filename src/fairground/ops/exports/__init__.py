"""Export providers to a file that an import reads."""
