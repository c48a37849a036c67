"""The `grader` section of problem.yaml, one module for each kind of grader."""
