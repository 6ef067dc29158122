"""What the learner did, in SQLite; everything shown is derived from it."""
