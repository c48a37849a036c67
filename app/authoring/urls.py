"""Addresses of authoring; every one of them is for staff alone."""

from __future__ import annotations

from django.urls import path

from app.authoring.views import files, guide, lists, proofs, rejudges, versions, workbench

app_name = "authoring"
urlpatterns = [
    path("", lists.index, name="index"),
    path("new/", lists.new, name="new"),
    path("upload/", lists.upload, name="upload"),
    path("guide/<slug:name>/", guide.guide, name="guide"),
    path("trail/", versions.whole_trail, name="whole-trail"),
    path("problems/<slug:slug>/", workbench.workbench, name="workbench"),
    path("problems/<slug:slug>/edit/", workbench.edit, name="edit"),
    path("problems/<slug:slug>/discard/", workbench.discard, name="discard"),
    path("problems/<slug:slug>/lint/", workbench.lint, name="lint"),
    path("problems/<slug:slug>/preview/", workbench.preview, name="preview"),
    path("problems/<slug:slug>/state/", workbench.state, name="state"),
    path("problems/<slug:slug>/add/", files.add, name="add"),
    path("problems/<slug:slug>/files/<path:path>/text", files.text, name="text"),
    path("problems/<slug:slug>/files/<path:path>/remove", files.remove, name="remove"),
    path("problems/<slug:slug>/files/<path:path>/rename", files.rename, name="rename"),
    path("problems/<slug:slug>/verify/", proofs.verify, name="verify"),
    path("problems/<slug:slug>/verifications/<uuid:pk>/", proofs.verification, name="verification"),
    path("problems/<slug:slug>/verifications/<uuid:pk>/stop/", proofs.stop, name="stop"),
    path("problems/<slug:slug>/publish/", proofs.publish, name="publish"),
    path("problems/<slug:slug>/unpublish/", proofs.unpublish, name="unpublish"),
    path("problems/<slug:slug>/export/", versions.export, name="export"),
    path("problems/<slug:slug>/compare/", versions.compare, name="compare"),
    path("problems/<slug:slug>/restore/<int:pk>/", versions.restore, name="restore"),
    path("problems/<slug:slug>/trail/", versions.trail, name="trail"),
    path("problems/<slug:slug>/rejudge/", rejudges.offer, name="rejudge-offer"),
    path("problems/<slug:slug>/rejudge/preview/", rejudges.preview, name="rejudge-preview"),
    path("problems/<slug:slug>/rejudges/<uuid:pk>/", rejudges.rejudge, name="rejudge"),
    path("problems/<slug:slug>/rejudges/<uuid:pk>/stop/", rejudges.stop, name="rejudge-stop"),
    path("problems/<slug:slug>/rejudges/<uuid:pk>/apply/", rejudges.apply, name="rejudge-apply"),
]
