"""What the chapters draw with: the look of figures, and pictures that a reader moves.

Nothing else imports this.
"""
