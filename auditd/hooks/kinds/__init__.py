"""The kinds of hook. Each file that ends in `PLUGIN = Plugin(...)` is one."""
