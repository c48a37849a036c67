import pytest
from app.interviews import running
from tests.app.interviews.conftest import *

pytestmark = pytest.mark.django_db

def test_pages(owner_client, interviewer_client, stranger_client, interview, room, plan, server_clock):
    for c, iv, status in ((owner_client, interview, 200), (owner_client, room, 200), (interviewer_client, room, 200), (stranger_client, room, 404)):
        r = c.get(f"/interviews/{iv.pk}/"); assert r.status_code == status
    for url in ("/interviews/", "/interviews/new/", "/interviews/new/?template=full-loop"):
        assert owner_client.get(url).status_code == 200
    p = plan()
    assert owner_client.get(f"/interviews/{p.pk}/").status_code == 200
    server_clock.forward(minutes=31)
    r = owner_client.get(f"/interviews/{interview.pk}/"); assert b"A break" in r.content
    running.end_interview(interview, interview.candidate)
    r = owner_client.get(f"/interviews/{interview.pk}/debrief/"); assert r.status_code == 200, r.content
    r = owner_client.get(f"/interviews/{interview.pk}/debrief/?mark=1"); assert r.status_code == 200
    r = owner_client.get(f"/interviews/{interview.pk}/debrief.json"); assert r.status_code == 200
    print(r.content.decode()[:1500])
