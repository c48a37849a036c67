"""What the site remembers: problems and their versions, drafts, submissions and their events."""

from app.practice.models.attempts import Attempt, AttemptSpent
from app.practice.models.drafts import Draft, StaleDraft
from app.practice.models.past_verdicts import PastVerdict
from app.practice.models.problems import Problem, ProblemVersion
from app.practice.models.submissions import LeaseLost, Submission, SubmissionEvent

__all__ = [
    "Attempt",
    "AttemptSpent",
    "Draft",
    "LeaseLost",
    "PastVerdict",
    "Problem",
    "ProblemVersion",
    "StaleDraft",
    "Submission",
    "SubmissionEvent",
]
