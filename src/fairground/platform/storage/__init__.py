"""Uploaded files and their derivatives: a port with two stores, a folder and any S3-compatible server."""
