"""Replies in plain words to a picture: what is made of them, and the way back."""
