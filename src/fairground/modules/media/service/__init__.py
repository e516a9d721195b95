"""What media does: takes pictures in, makes their sizes, gives them."""
