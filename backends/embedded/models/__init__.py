"""Models on this machine: which families there are, which folders hold one, and which are known with their licences."""
