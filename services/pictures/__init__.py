"""Pictures on their way in and out: fetched, checked, labelled, masked, kept for a day."""
