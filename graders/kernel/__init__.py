"""The `kernel` grader: recorded in a sandbox without a GPU, replayed by us on one."""
