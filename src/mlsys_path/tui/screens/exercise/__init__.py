"""The screen of an exercise, by what a learner does there: look, check, change files, get help."""

from mlsys_path.tui.screens.exercise.screen import ExerciseScreen

__all__ = ["ExerciseScreen"]
