"""Mentors and learners by files: assignments, bundles of what was done, who is stuck, and proof by running it again."""
