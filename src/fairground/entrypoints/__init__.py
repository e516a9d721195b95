"""Where the program is put together; the only place that imports modules."""
