"""Runs checks against a learner's files and says what happened."""
