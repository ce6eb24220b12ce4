"""The report's own system, as its text describes it, beside the codec and not in it.

Taught in chapter 13.
"""
