"""Data that outlives a restart: jobs, pictures for a day, preferences and connections. Plain SQL over aiosqlite."""
