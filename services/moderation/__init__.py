"""Moderation: bans, caps, reports, what admins do to engines, and the audit of all that."""
