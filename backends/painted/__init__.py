"""The built-in painter: pictures composed by rules, painted and enlarged by neural networks, without a server."""
