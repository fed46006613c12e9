"""AI Horde and private Hordes, over the `/v2` API."""
