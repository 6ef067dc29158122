"""`mlsys-path` and `python -m mlsys_path`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    from mlsys_path.cli.program import run

    run()


if __name__ == "__main__":
    main()
