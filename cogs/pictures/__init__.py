"""What people do with a picture they have: the commands, where it comes from, what it says."""
