"""Worksheets: quantities, a small language of formulas, and problems made of them.

The leaf that the readers of packages and the grader of answers share, so that a formula is checked
and evaluated by the same code. It knows no package, no grader and no Django.
"""
