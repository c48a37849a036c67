"""Problem packages and the one module that reads them. Knows no Django, no grader, no sandbox."""
