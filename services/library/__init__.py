"""Things people keep: the gallery with its collections, and templates."""
