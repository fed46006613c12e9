"""The sentences that people read: English in the code, with named values, rendered in the reader's language."""
