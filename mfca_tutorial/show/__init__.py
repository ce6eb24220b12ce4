"""What the chapters draw with: the look of figures, and pictures that a reader can move.

But: no other part of the package imports it.
"""
