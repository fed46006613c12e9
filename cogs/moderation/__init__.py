"""Moderation in Discord: bans, reports, caps, engines on hold, and the audit."""
