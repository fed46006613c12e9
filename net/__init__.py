"""Outgoing HTTP: the client, the guard on its addresses, and its failures in words. Knows no engine."""
