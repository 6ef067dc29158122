"""Builds Triton from source, step by step: resumable, explained, and proved at the end."""
