"""What media does: uploads, renditions, images in any size, and maintenance."""
