"""OpenAI's images API, and the many servers that speak it."""
