"""Files that people bring and that are made of them: a port with two stores, a folder and any S3-compatible one."""
