"""Leaf helpers that know no other room."""
