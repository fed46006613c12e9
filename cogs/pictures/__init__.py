"""Work on a picture that somebody has: the commands, where it comes from, what it says."""
