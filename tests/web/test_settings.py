"""The pages below /settings/, a model's access, promotions: without a script, by forms that a person sends."""

import html
import re
from typing import Any

import httpx
import pytest

from foretell.accounts import grants, services
from foretell.accounts.models import APIKey, Invitation, ModelGrant, User
from foretell.registry.models import Alias, PromotionRequest
from tests.cast import PASSWORD, House
from tests.models import ready_sum_model
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token, send, sign_in, text_of

KEYS, MEMBERS, INVITATIONS = "/settings/keys/", "/settings/members/", "/settings/invitations/"


def posted(client: httpx.Client, url: str, **fields: Any) -> httpx.Response:
    token = csrf_token(client.get(url).text)
    return client.post(url, data={"csrfmiddlewaretoken": token, **fields})


def shown(answer: httpx.Response, id: str) -> str:
    found = re.search(rf'<code id="{id}">([^<]+)</code>', answer.text)
    assert found is not None, answer.text
    return html.unescape(found[1])


def newcomer(acme: House, name: str = "temp", role: str = "viewer") -> User:
    with acme.inside():
        return services.create_user(username=name, email=f"{name}@acme.example", password=PASSWORD, role=role)


def test_a_key_is_made_shown_once_and_works(signed_in: SignedIn, acme: House, visitor: httpx.Client) -> None:
    client = signed_in("bob")

    made = posted(client, KEYS, name="dashboard", scopes=["predict", "models:read"], models="sum, other", days="30")

    secret = shown(made, "secret")
    assert "no-store" in made.headers["Cache-Control"]
    assert visitor.get("/api/v1/me/", headers={"X-API-Key": secret, "Accept": "application/json"}).json()["key"][
        "models"
    ] == ["other", "sum"]
    listed = client.get(KEYS).text
    assert secret not in listed
    assert secret[:13] in listed


def test_what_is_wrong_with_a_key_is_said_at_its_fields(signed_in: SignedIn) -> None:
    answer = posted(signed_in("bob"), KEYS, name="", scopes=["everything"], models="../x", days="0")

    assert answer.status_code == 422
    assert answer.text.count('class="error"') >= 3


def test_a_key_is_rolled_and_then_revoked_when_one_has_said_that_it_is_meant(signed_in: SignedIn, acme: House) -> None:
    client = signed_in("bob")
    with acme.inside():
        key, _ = services.create_key(user=acme.user("bob"), name="old", scopes=["predict"])

    new = shown(posted(client, f"{KEYS}{key.key_id}/roll/", grace_s="1"), "secret")
    asked = client.get(f"{KEYS}{key.key_id}/revoke/")
    with acme.inside():
        assert APIKey.objects.get(pk=key.pk).revoked_at is None, "asking is not doing"
    assert "for good" in text_of(asked)
    assert posted(client, f"{KEYS}{key.key_id}/revoke/").status_code == 302
    with acme.inside():
        old = APIKey.objects.get(pk=key.pk)
        assert (old.revoked_at is not None, old.rolled_to_id) == (True, new[3:13])


def test_somebody_elses_key_is_not_there_and_an_admin_sees_it(signed_in: SignedIn, acme: House) -> None:
    bobs, alices = (acme.people[name].key_id for name in ("bob", "alice"))

    assert signed_in("erin").get(f"{KEYS}{bobs}/revoke/").status_code == 404
    adam = signed_in("adam")
    assert adam.get(f"{KEYS}{bobs}/revoke/").status_code == 200
    assert adam.get(f"{KEYS}{alices}/revoke/").status_code == 404
    assert bobs in adam.get(KEYS).text
    assert alices not in adam.get(KEYS).text


@pytest.mark.parametrize("path", [MEMBERS, INVITATIONS, "/settings/ownership/", "/models/sum/access/"])
def test_pages_of_admins_are_not_for_others(signed_in: SignedIn, acme: House, path: str) -> None:
    ready_sum_model(acme)

    assert [signed_in(person).get(path).status_code for person in ("bob", "erin")] == [403, 403]
    assert signed_in("alice").get(path).status_code == 200


def test_a_role_changes_and_access_ends_and_comes_back(signed_in: SignedIn, acme: House) -> None:
    user, adam = newcomer(acme), signed_in("adam")
    url = f"{MEMBERS}{user.pk}/"

    assert posted(adam, url, do="role", role="editor").status_code == 302
    assert posted(adam, url, do="role", role="owner").status_code == 422, "not among what an admin may choose"
    assert posted(adam, url, do="deactivate").status_code == 302
    with acme.inside():
        assert (User.objects.get(pk=user.pk).role, User.objects.get(pk=user.pk).is_active) == ("editor", False)
    assert posted(adam, url, do="reactivate").status_code == 302
    assert posted(adam, url, do="nonsense").status_code == 404


def test_the_last_owner_is_told_why_not(signed_in: SignedIn, acme: House) -> None:
    client = signed_in("alice")

    for url, fields in (
        (f"{MEMBERS}{acme.user('alice').pk}/", {"do": "role", "role": "viewer"}),
        (f"{MEMBERS}{acme.user('alice').pk}/", {"do": "deactivate"}),
        (f"{MEMBERS}{acme.user('alice').pk}/remove/", {}),
        ("/settings/leave/", {"username": "alice"}),
    ):
        answer = posted(client, url, **fields)
        assert (answer.status_code, "last owner" in text_of(answer)) == (422, True), url


def test_somebody_is_removed_when_one_has_said_that_it_is_meant(signed_in: SignedIn, acme: House) -> None:
    user, adam = newcomer(acme), signed_in("adam")

    assert "For good" in text_of(adam.get(f"{MEMBERS}{user.pk}/remove/"))
    assert posted(adam, f"{MEMBERS}{user.pk}/remove/").status_code == 302
    assert "temp" not in text_of(adam.get(MEMBERS))
    assert adam.get(f"{MEMBERS}{user.pk}/").status_code == 404


def test_a_service_account_is_made_and_handed_on(signed_in: SignedIn, acme: House) -> None:
    adam = signed_in("adam")

    made = posted(adam, MEMBERS, username="ci", role="editor")

    assert posted(adam, made.headers["Location"], do="responsible", responsible="alice").status_code == 302
    assert posted(adam, made.headers["Location"], do="responsible", responsible="bob").status_code == 422
    assert "alice answers for it" in text_of(adam.get(made.headers["Location"]))
    assert "ci" in text_of(adam.get(f"{MEMBERS}?q=ci"))


def test_somebody_is_invited_and_comes_in_by_the_link(signed_in: SignedIn, acme: House, visitor: httpx.Client) -> None:
    link = shown(posted(signed_in("adam"), INVITATIONS, email="zoe@acme.example", role="editor"), "link")
    assert link.startswith("http://acme.localhost/accounts/invitation/")

    weak = posted(visitor, link, username="zoe", password="short")
    assert (weak.status_code, "twelve" in weak.text or "12" in weak.text) == (422, True)
    assert posted(visitor, link, username="zoe", password=PASSWORD).headers["Location"] == "/accounts/login/"
    assert sign_in(visitor, "zoe", PASSWORD).status_code == 302
    assert visitor.get(link).status_code == 404, "once"


def test_an_invitation_is_taken_back_when_one_has_said_that_it_is_meant(
    signed_in: SignedIn, acme: House, visitor: httpx.Client
) -> None:
    adam = signed_in("adam")
    link = shown(posted(adam, INVITATIONS, email="zoe@acme.example", role="viewer"), "link")
    with acme.inside():
        id = Invitation.objects.get().pk

    adam.get(f"{INVITATIONS}{id}/revoke/")
    assert visitor.get(link).status_code == 200, "asking is not doing"
    assert posted(adam, f"{INVITATIONS}{id}/revoke/").status_code == 302
    assert visitor.get(link).status_code == 404


def test_who_leaves_is_signed_out_and_gone(signed_in: SignedIn, acme: House, visitor: httpx.Client) -> None:
    newcomer(acme)
    assert sign_in(visitor, "temp", PASSWORD).status_code == 302

    assert posted(visitor, "/settings/leave/", username="another").status_code == 422
    assert posted(visitor, "/settings/leave/", username="temp").status_code == 302
    assert visitor.get("/").status_code == 302
    assert sign_in(visitor, "temp", PASSWORD).status_code == 200


def test_a_tenant_is_handed_over(signed_in: SignedIn, acme: House) -> None:
    alice = signed_in("alice")

    assert posted(alice, "/settings/ownership/", to="adam").status_code == 422, "without being sure"
    assert posted(alice, "/settings/ownership/", to="adam", is_sure="on").status_code == 302
    assert [acme.user(name).role for name in ("alice", "adam")] == ["admin", "owner"]
    assert alice.get("/settings/ownership/").status_code == 403


def test_access_to_a_model_is_granted_taken_back_and_restricted(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)
    adam, url = signed_in("adam"), "/models/sum/access/"

    assert posted(adam, url, do="grant", user="bob", actions=["push"]).status_code == 302
    assert posted(adam, url, do="policy", restricted="on").status_code == 302
    assert "bob" in text_of(adam.get(url))
    assert [f'href="{url}"' in signed_in(who).get("/models/sum/").text for who in ("adam", "bob")] == [True, False]
    assert signed_in("erin").get("/models/sum/").status_code == 404
    assert posted(adam, url, do="take", user="bob").status_code == 302
    with acme.inside():
        assert not ModelGrant.objects.exists()
    assert posted(adam, url, do="grant", user="nobody", actions=["push"]).status_code == 422
    assert posted(adam, url, do="nonsense").status_code == 404


def test_a_promotion_is_approved_on_its_page_by_another(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")
    with acme.inside():
        from django.utils import timezone

        from foretell.registry.promotions import promote

        grants.change_policy(model="sum", four_eyes=True)
        version = Alias.objects.get().model.versions.get(number=2)
        promote(version=version, alias="champion", by=acme.user("adam"), now=timezone.now())
        id = PromotionRequest.objects.get().pk
    adam, alice, bob = (signed_in(person) for person in ("adam", "alice", "bob"))
    url = f"/promotions/{id}/"

    assert "Withdraw" in adam.get("/promotions/").text
    assert "Approve" not in adam.get("/promotions/").text
    assert "Approve" not in bob.get("/promotions/").text
    assert send(bob, url, {"verb": "approve"}, form_at="/").status_code == 403
    assert send(adam, url, {"verb": "approve"}, form_at="/").status_code == 403
    assert send(alice, url, {"verb": "approve", "comment": "Fine."}, form_at="/promotions/").status_code == 302
    assert "approved alice Fine." in text_of(alice.get("/promotions/"))
    late = send(alice, url, {"verb": "decline"}, form_at="/")
    assert (late.status_code, "approved already" in text_of(late)) == (422, True)


@pytest.mark.parametrize(
    "path",
    [KEYS, MEMBERS, INVITATIONS, "/settings/leave/", "/settings/ownership/", "/promotions/", "/models/sum/access/"],
)
def test_pages_hold_to_the_content_security_policy(signed_in: SignedIn, acme: House, path: str) -> None:
    ready_sum_model(acme)
    page = signed_in("alice").get(path)

    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.findall(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!acme)", page.text)


def test_below_a_prefix_the_pages_stay_below_it(visitor: httpx.Client) -> None:
    sign_in(visitor, "adam", PASSWORD, base="/t/acme", next="/t/acme/")

    assert visitor.get("/t/acme/settings/").headers["Location"] == "/t/acme/settings/keys/"
    link = shown(posted(visitor, f"/t/acme{INVITATIONS}", email="zoe@acme.example", role="viewer"), "link")
    assert "/t/acme/accounts/invitation/" in link
    assert visitor.get(link).status_code == 200


def test_a_page_of_another_tenants_ids_is_the_page_of_what_is_not_there(
    signed_in: SignedIn, acme: House, globex: House
) -> None:
    client = signed_in("alice")
    carol = globex.user("carol").pk

    for path in (f"{MEMBERS}{{}}/", f"{MEMBERS}{{}}/remove/", f"{INVITATIONS}{{}}/revoke/"):
        theirs, nobodys = (client.get(path.format(id)) for id in (carol, "0" * 8 + "-0000-0000-0000-" + "0" * 12))
        assert (theirs.status_code, theirs.text) == (404, nobodys.text)
