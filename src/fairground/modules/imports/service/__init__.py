"""Imports of rows, and the pictures in them: embedded ones, and those that rows name by address."""
