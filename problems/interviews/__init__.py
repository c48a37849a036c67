"""Templates of interviews and questions that no grader judges: YAML, read strictly."""
