"""Where alerts go: the kinds of hook, and the loops that bring each its messages."""
