"""Requests and responses over HTTP, as pydantic models: one file per resource."""
