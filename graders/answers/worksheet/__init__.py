"""Worksheets: quantities, a small language of formulas, and problems made of them.

A formula is checked, when its package is read, and evaluated by the same code. It knows neither
submissions nor verdicts.
"""
