"""The response cache in front of the framework: which requests it answers, and with which headers."""
