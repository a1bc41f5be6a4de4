"""State that survives: snapshots, alerts, what is owed to hooks, and the trail of what happened."""
