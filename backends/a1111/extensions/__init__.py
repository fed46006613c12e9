"""Features that extensions add to a server, where they are installed or built in."""
