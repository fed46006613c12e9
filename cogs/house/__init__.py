"""House rules in Discord: `/setup`."""
