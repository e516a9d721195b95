"""Booking: free times, holds, requests, and what becomes of them."""
