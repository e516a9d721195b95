"""Pictures: admission of files, rendering in child processes, and the sizes that are made."""
