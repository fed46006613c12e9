"""The command line: draw, show, check, converse. Results go to stdout, everything else to stderr."""
