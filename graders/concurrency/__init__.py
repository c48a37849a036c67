"""Judges C++ structures shared by threads: a model checker over the C++ memory model."""
