"""Every socket of an interview with everybody: who is none of it hears nothing."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser

from app.accounts.models import User
from app.interviews import consumers
from app.interviews.models import Interview, Link
from app.interviews.room import consumer as room_consumer
from app.practice.consumers import NOT_FOUND, NOT_SIGNED_IN
from tests.app.interviews.conftest import seat
from tests.app.practice.test_consumers import Socket
from tests.conftest import make_user, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

STAYS = 0
# What each gets: the code with which the socket is closed, or nothing while it stays open.
EXPECTED = {
    "candidate": STAYS,
    "interviewer": STAYS,
    "admin": STAYS,
    "candidate of another interview": NOT_FOUND,
    "interviewer of another interview": NOT_FOUND,
    "interviewer whose link was revoked": NOT_FOUND,
    "nobody": NOT_SIGNED_IN,
}
SOCKETS = [
    str(one.pattern)
    for one in [*consumers.websocket_urlpatterns, *room_consumer.websocket_urlpatterns]
]


def people(room: Interview, interviewer: User) -> dict[str, User | AnonymousUser]:
    other = make_user("other")
    elsewhere = Interview.objects.create(candidate=other, title="Another", with_interviewer=True)
    asks_elsewhere, put_out = make_user("asks-elsewhere"), make_user("put-out")
    seat(elsewhere, asks_elsewhere)
    seat(room, put_out).revoke()
    Link.issue(room, Link.Scope.DEBRIEF)
    return {
        "candidate": room.candidate,
        "interviewer": interviewer,
        "admin": make_user("admin", staff=True),
        "candidate of another interview": other,
        "interviewer of another interview": asks_elsewhere,
        "interviewer whose link was revoked": put_out,
        "nobody": AnonymousUser(),
    }


@pytest.mark.parametrize("route", SOCKETS)
async def test_a_socket_lets_in_who_takes_part_and_nobody_else(
    route: str, room: Interview, interviewer: User
) -> None:
    everybody = await sync_to_async(people)(room, interviewer)
    assert set(everybody) == set(EXPECTED)
    path = "/" + route.replace("<uuid:pk>", str(room.pk)).replace("<int:number>", "1")
    got = {}
    for who, user in everybody.items():
        headers: list[Any] = [(b"origin", b"http://localhost")]
        if isinstance(user, User):
            client = await sync_to_async(signed_in)(user)
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        socket = Socket(path, headers)
        await socket.connect()
        if EXPECTED[who] == STAYS:
            await socket.say('{"type": "hello", "state": "AA=="}')
            got[who] = STAYS if (await socket.receive())["type"] == "websocket.send" else -1
        else:
            closed = await socket.receive()
            assert closed["type"] == "websocket.close", f"{who} was told {closed}"
            got[who] = closed["code"]
        await socket.disconnect()
    assert got == EXPECTED
