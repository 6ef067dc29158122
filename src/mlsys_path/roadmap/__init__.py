"""What there is to learn: YAML, validated records and the prerequisite graph."""
