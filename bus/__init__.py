"""The message bus door: requests over NATS, answered there, and every finished job told of (docs/bus.md)."""
