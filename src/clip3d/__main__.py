"""`python -m clip3d` is the command line."""

from clip3d.cli.main import main

if __name__ == "__main__":
    main()
