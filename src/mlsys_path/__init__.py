"""A path to ML-systems engineering: a roadmap, exercises that are checked by running them, and mentors."""

__version__ = "0.1.0"
