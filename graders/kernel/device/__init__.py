"""The trusted side's work on a GPU, in processes of its own. No candidate's Python runs here.

`cuda-bindings` is needed here and nowhere else in the graders.
"""
