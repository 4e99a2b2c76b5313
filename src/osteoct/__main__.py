"""``python -m osteoct``: the command where the script's folder is not on the path."""

from osteoct.cli import main

if __name__ == "__main__":
    main(prog_name="osteoct")
