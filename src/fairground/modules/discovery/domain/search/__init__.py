"""Search by words: what is asked, what is found, and in which order. Nothing here does I/O."""
