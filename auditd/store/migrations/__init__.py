"""How the schema came to be, for Alembic; `auditd.store.migration` runs it."""
