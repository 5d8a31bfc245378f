"""The comparison: what is started, sent, measured and reported."""
