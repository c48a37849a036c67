"""What the site remembers of an interview: rounds, seats and links, one timeline, marks."""

from app.interviews.models.follow_ups import AskedFollowUp
from app.interviews.models.interviews import Interview, Role
from app.interviews.models.links import Link, Seat
from app.interviews.models.marks import Feedback, Mark
from app.interviews.models.moments import Moment
from app.interviews.models.presences import Presence
from app.interviews.models.rounds import InterviewRound, RoundSubmission, StaleText, TooLate
from app.interviews.models.saved_templates import SavedTemplate
from app.interviews.models.sightings import Sighting

__all__ = [
    "AskedFollowUp",
    "Feedback",
    "Interview",
    "InterviewRound",
    "Link",
    "Mark",
    "Moment",
    "Presence",
    "Role",
    "RoundSubmission",
    "SavedTemplate",
    "Seat",
    "Sighting",
    "StaleText",
    "TooLate",
]
