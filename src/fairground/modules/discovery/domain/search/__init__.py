"""Search by words: the question, the documents, and the results in their order. Nothing here does I/O."""
