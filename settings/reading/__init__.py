"""Read settings from `.env` and the environment: only `config` and `app` have use for it."""
