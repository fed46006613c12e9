"""Ways to begin: from a template, from the words of a picture, from several pictures."""
