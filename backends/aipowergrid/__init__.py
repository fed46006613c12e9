"""AI Power Grid, over its present `/v1` API."""
