"""Reports on Easel's work: figures, alerts, webhooks, whether it is ready."""
