"""The report's own system, as its text describes it. It is separate from the codec.

Taught in chapter 13.
"""
