"""The shared level on Redis or Valkey: imported only where an address of one is set, for its client is large."""
