"""The comparison: what is started, what is sent, what is measured, and what is written about it."""
