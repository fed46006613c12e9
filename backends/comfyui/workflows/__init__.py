"""Workflows of people: read, stored, corrected, and filled in with a request."""
