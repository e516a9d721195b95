"""Notifications: whom an event concerns hears of it, by mail and in a list."""
