"""What a file says of itself, read without decoding anything and without any library."""
