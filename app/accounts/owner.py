"""The owner of a fresh site, and the one-time link that signs them in."""

from __future__ import annotations

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from app.accounts.models import User

OWNER = "owner"
LINK_LIFETIME_S = 600
_SALT = "app.accounts.owner"


def sign_in_link(base_url: str) -> str:
    """A link that signs the owner in, once, within ten minutes. Makes the owner if need be.

    The token carries the time of the owner's last sign-in: using any link moves that time, and
    every link made before is void.
    """
    owner, is_new = User.objects.get_or_create(
        username=OWNER, defaults={"is_staff": True, "is_superuser": True}
    )
    if is_new:
        owner.set_unusable_password()
        owner.save()
    token = signing.dumps([owner.pk, _stamp(owner)], salt=_SALT)
    return base_url.rstrip("/") + reverse("accounts:enter", args=[token])


def redeem(token: str) -> User | None:
    """The person whom this link signs in; None if it is false, too old or used already."""
    try:
        pk, stamp = signing.loads(token, salt=_SALT, max_age=LINK_LIFETIME_S)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or _stamp(user) != stamp:
        return None
    # Two browsers at the same moment: the second one's condition no longer holds.
    unused = User.objects.filter(pk=pk, last_login=user.last_login)
    if user.last_login is None:
        unused = User.objects.filter(pk=pk, last_login__isnull=True)
    return user if unused.update(last_login=timezone.now()) == 1 else None


def _stamp(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
