"""Who does the work: this process, or whichever replica is free."""
