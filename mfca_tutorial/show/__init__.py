"""What the chapters draw with: the look of figures, and pictures that move with and without a kernel. Nothing else
imports this.
"""
