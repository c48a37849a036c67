"""People and their sessions, for admins.

Whoever is staff may look; what a person may do is changed by superusers alone, or an admin could
make themselves one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.sessions.models import Session
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from app.accounts.models import User

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
    SessionAdminBase = admin.ModelAdmin[Session]
    LogAdminBase = admin.ModelAdmin[LogEntry]
else:
    UserAdminBase = UserAdmin
    SessionAdminBase = LogAdminBase = admin.ModelAdmin

admin.site.site_header = admin.site.site_title = "Gauntlet"
admin.site.index_title = _("People and moderation")

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


def sessions_of(users: QuerySet[User]) -> list[str]:
    """The keys of the living sessions of these people.

    A session's data is signed and opaque to the database, so each has to be opened.
    """
    wanted = {str(pk) for pk in users.values_list("pk", flat=True)}
    living = Session.objects.filter(expire_date__gt=timezone.now())
    return [one.pk for one in living if one.get_decoded().get("_auth_user_id") in wanted]


def _others(people: QuerySet[User], request: HttpRequest) -> QuerySet[User]:
    """Without the one who asks: nobody locks themselves out by a click."""
    return people.exclude(username=request.user.get_username())


class SeenByStaff:
    """Any member of staff may look at it; what else they may do, the permissions say."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)


class NeverEdited(SeenByStaff):
    """Shown and never changed by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(SeenByStaff, UserAdminBase):
    """Candidates and admins: who they are, what they may do, signing them out."""

    list_display = (
        "username",
        "role",
        "is_active",
        "submissions",
        "last_login",
        "date_joined",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "groups", "last_login", "date_joined")
    date_hierarchy = "date_joined"
    actions = ("make_admin", "make_candidate", "lock", "unlock", "sign_out")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(n_submissions=Count("submission"))

    @admin.display(description=_("Role"), ordering="-is_staff")
    def role(self, user: User) -> str:
        """What the person may do, in a word."""
        if user.is_superuser:
            return str(_("owner"))
        return str(_("admin")) if user.is_staff else str(_("candidate"))

    @admin.display(description=_("Submissions"), ordering="n_submissions")
    def submissions(self, user: User) -> int:
        """How many there are, of all kinds."""
        return int(user.n_submissions)  # type: ignore[attr-defined]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_rights_permission(self, request: HttpRequest) -> bool:
        """Who may say what others may do."""
        return bool(request.user.is_superuser)

    @admin.action(description=_("Make admin"), permissions=["rights"])
    def make_admin(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let them write problems and see every submission."""
        self._tell(request, people.update(is_staff=True))

    @admin.action(description=_("Make candidate"), permissions=["rights"])
    def make_candidate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Take an admin's rights away, but not one's own."""
        others = _others(people, request)
        self._tell(request, others.update(is_staff=False, is_superuser=False))

    @admin.action(description=_("Lock the account and sign out"), permissions=["rights"])
    def lock(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Keep them out, at once, but not oneself; what they sent stays."""
        others = _others(people, request)
        Session.objects.filter(pk__in=sessions_of(others)).delete()
        self._tell(request, others.update(is_active=False))

    @admin.action(description=_("Unlock the account"), permissions=["rights"])
    def unlock(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let them in again."""
        self._tell(request, people.update(is_active=True))

    @admin.action(description=_("Sign out everywhere"), permissions=["rights"])
    def sign_out(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """End their sessions; drafts are kept in the browser and on the server."""
        ended, _by_model = Session.objects.filter(pk__in=sessions_of(people)).delete()
        text = ngettext("%d session has ended.", "%d sessions have ended.", ended)
        self.message_user(request, text % ended, messages.SUCCESS)

    def _tell(self, request: HttpRequest, number: int) -> None:
        text = ngettext("%d account is changed.", "%d accounts are changed.", number)
        self.message_user(request, text % number, messages.SUCCESS)


@admin.register(Session)
class SessionAdmin(NeverEdited, SessionAdminBase):
    """Who is signed in. Deleting a session signs that browser out."""

    list_display = ("person", "key_begins", "expire_date")
    list_filter = ("expire_date",)
    fields = ("person", "key_begins", "expire_date")
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    # The address of a session's page has its key in it, which is all that signing in needs.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    @admin.display(description=_("Person"))
    def person(self, session: Session) -> str:
        """Whose it is."""
        pk = session.get_decoded().get("_auth_user_id")
        user = User.objects.filter(pk=pk).first() if pk else None
        return user.get_username() if user else "-"

    @admin.display(description=_("Key"))
    def key_begins(self, session: Session) -> str:
        """Enough of the key to tell two apart."""
        return f"{session.pk[:6]}…"


@admin.register(LogEntry)
class LogEntryAdmin(NeverEdited, LogAdminBase):
    """What was changed in these pages, by whom and when."""

    list_display = ("action_time", "user", "content_type", "object_repr", "get_change_message")
    list_filter = ("action_time", "action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    date_hierarchy = "action_time"
