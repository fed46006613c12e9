"""What Easel tells of its work: figures, alerts, webhooks, whether it is ready."""
