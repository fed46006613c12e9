"""Requests in plain words, as people reply to a picture with them: which operation is meant, decided by rules alone."""
