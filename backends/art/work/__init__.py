"""The work with networks: which there are, and what the child process does with them."""
