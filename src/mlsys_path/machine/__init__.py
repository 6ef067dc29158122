"""What this computer can check, and the command that adds what it lacks."""
