"""The book's diagrams, each drawn by a small function: see `shapes.py` for the family."""
