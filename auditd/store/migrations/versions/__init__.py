"""One file a revision. None of them imports the tables of today."""
