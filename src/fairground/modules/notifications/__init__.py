"""Notifications: lines on a page and emails about what happened to bookings, profiles and reviews."""
