"""Files copied INTO a sandbox: the only code of ours that shares a process with a submission.

Nothing in this folder imports the rest of the project but `graders.text`, which is laid beside it,
and nothing it says is believed: a frame from a sandbox is the candidate's word.
"""
