"""The Discord door: parse, hand over, render. No HTTP, no SQL, no picture codec here."""
