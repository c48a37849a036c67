"""Pages that explain how something is judged."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from app.accounts.requests import SignedInRequest


def memory_model(request: SignedInRequest) -> HttpResponse:
    """Which executions of C++ the model checker explores, and what it leaves out."""
    return render(request, "practice/memory_model.html")
