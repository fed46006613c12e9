"""What the command line does: draw, show, check, converse. Results go to stdout, everything else to stderr."""
