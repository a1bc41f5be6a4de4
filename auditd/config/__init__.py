"""What the operator wrote, checked as a whole: every mistake has a place, a path and a remedy."""
