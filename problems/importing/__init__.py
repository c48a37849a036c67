"""Problems of other judges as drafts of ours, with a list of what did not carry over."""
