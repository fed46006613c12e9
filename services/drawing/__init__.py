"""From what somebody asked for to durable jobs: an engine chosen, stored, in batches, compared; prompts and styles."""
