"""`python -m docs.generator`: rewrite the reference. `make reference` does it."""

from docs.generator.site import pages, write

write(pages())
