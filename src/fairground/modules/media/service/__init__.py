"""The services of media: uploads, renditions, images in any size, and uploaded pictures."""
