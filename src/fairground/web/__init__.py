"""The web face: pages over the contracts of many modules; it imports no module."""
