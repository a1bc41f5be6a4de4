"""The kinds of credential. Each file that ends in `PLUGIN = Plugin(...)` is one."""
