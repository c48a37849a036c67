"""What the site remembers of writing problems: copies, proofs, mutants, rejudges, the trail."""

from app.authoring.models.mutants import MutantRun, MutantTrial
from app.authoring.models.rejudges import Rejudge, RejudgeItem
from app.authoring.models.trail import Action, TrailEntry
from app.authoring.models.verifications import Verification, VerificationTrial
from app.authoring.models.work import Run, Work
from app.authoring.models.working_copies import StaleFile, WorkingCopy, WorkingFile

__all__ = [
    "Action",
    "MutantRun",
    "MutantTrial",
    "Rejudge",
    "RejudgeItem",
    "Run",
    "StaleFile",
    "TrailEntry",
    "Verification",
    "VerificationTrial",
    "Work",
    "WorkingCopy",
    "WorkingFile",
]
