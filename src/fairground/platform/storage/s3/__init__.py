"""The store on an S3-compatible server, loaded only where one is named."""
