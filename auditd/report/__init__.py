"""How `check` prints what it found: one file a format, each a function of a Report."""
