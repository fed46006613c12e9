"""fal.ai: models of many makers behind one queue."""
