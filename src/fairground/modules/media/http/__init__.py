"""Routes of media: pictures are brought as JSON and forms, and given as images."""
