"""The checks, one file each. A new file that ends in `PLUGIN = Plugin(...)` is a new check."""
