"""House rules of Discord servers: kept, explained, and applied in one place for every door."""
