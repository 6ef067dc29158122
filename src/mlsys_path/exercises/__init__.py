"""An exercise on disk: the learner's copy of it, its hash, and the authors' verification."""
