"""The servers that speak OpenAI's images API, each in its own way: a value for each, and how to tell them apart."""
