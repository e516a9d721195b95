"""Servers beside ours that media asks."""
