"""The response cache in front of the framework: which requests it answers, and in which words of HTTP."""
