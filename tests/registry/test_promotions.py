"""Four eyes: where a model asks for a second person, a promotion is a request, and another entitled person decides it."""

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.accounts import grants, people
from foretell.accounts.invitations import accept_invitation, invite, token_of
from foretell.accounts.models import User
from foretell.accounts.permissions import Principal, may_approve
from foretell.refusals import NotAllowed
from foretell.registry import promotions
from foretell.registry.errors import ApprovalRequired
from foretell.registry.models import Alias, AliasMove, PromotionRequest
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model

SUM, CHAMPION = "/api/v1/models/sum/", "/api/v1/models/sum/aliases/champion/"
ANY = {"If-Match": "*"}


@pytest.fixture(autouse=True)
def four_eyes(acme: House) -> None:
    """Version 1 is champion, version 2 is ready, and from now on a second person is asked for."""
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")
    with acme.inside():
        grants.change_policy(model="sum", four_eyes=True)


@pytest.fixture
def adam(http_for: HttpFor) -> httpx.Client:
    return http_for("adam")


def asked(client: httpx.Client, version: int = 2) -> dict[str, Any]:
    answer = client.put(CHAMPION, json={"version": version}, headers=ANY)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == answer.json()["url"]
    return dict(answer.json())


def champion(acme: House) -> int:
    with acme.inside():
        return Alias.objects.get(name="champion").version.number


def test_a_promotion_waits_until_a_second_person_approves(acme: House, adam: httpx.Client, alice: httpx.Client) -> None:
    request = asked(adam)

    assert (request["state"], request["version"], request["from_version"], request["requested_by"]) == (
        "open",
        2,
        1,
        "adam",
    )
    assert champion(acme) == 1
    assert adam.post(f"{request['url']}approve/", json={}).status_code == 403, (
        "the first pair of eyes is not the second"
    )
    approved = alice.post(f"{request['url']}approve/", json={"comment": "Looks right."})
    assert (approved.status_code, approved.json()["state"], approved.json()["decided_by"]) == (200, "approved", "alice")
    assert champion(acme) == 2


def test_without_four_eyes_the_alias_moves_at_once(acme: House, adam: httpx.Client) -> None:
    """The control."""
    with acme.inside():
        grants.change_policy(model="sum", four_eyes=False)

    assert adam.put(CHAMPION, json={"version": 2}, headers=ANY).status_code == 200
    assert champion(acme) == 2


def test_what_is_declined_or_withdrawn_moves_nothing_and_is_decided_once(
    acme: House, adam: httpx.Client, alice: httpx.Client
) -> None:
    for verb, decider, other in (("decline", alice, adam), ("withdraw", adam, alice)):
        url = asked(adam)["url"]

        assert other.post(f"{url}{verb}/", json={}).status_code == 403
        assert decider.post(f"{url}{verb}/", json={}).status_code == 200
        again = alice.post(f"{url}approve/", json={})
        assert (again.status_code, again.json()["code"]) == (409, "promotion_decided")
    assert champion(acme) == 1


def test_asking_again_is_the_same_request(adam: httpx.Client, alice: httpx.Client) -> None:
    first = asked(adam)

    assert asked(alice) == first, "who asks for the same joins the first, and does not approve by it"
    assert alice.get("/api/v1/promotions/?state=open").json()["count"] == 1


def test_every_way_to_promote_asks_for_the_second_person(acme: House, adam: httpx.Client) -> None:
    answer = adam.post(f"{SUM}aliases/", json={"alias": "canary", "version": 2})
    assert (answer.status_code, answer.json()["alias"]) == (202, "canary")

    ready_sum_model(acme, tweak="third", by="adam")
    with acme.inside():
        from foretell.registry.aliases import promote_version
        from foretell.registry.models import ModelVersion

        third = ModelVersion.objects.get(number=3)
        third.wanted_alias = "champion"
        from foretell.registry.building import _move_wanted_alias

        _move_wanted_alias(third)
        assert third.reason == "'champion' moves here when a second person approves it."
        assert PromotionRequest.objects.filter(version=third, requested_by__username="adam", state="open").exists()
        with pytest.raises(ApprovalRequired):
            promote_version(version=third, alias="champion", by=acme.user("alice"), now=timezone.now())
    assert champion(acme) == 1


def test_back_is_a_way_that_was_approved_before(acme: House, adam: httpx.Client, alice: httpx.Client) -> None:
    alice.post(f"{asked(adam)['url']}approve/", json={})

    assert adam.post(f"{CHAMPION}rollback/").status_code == 200
    assert champion(acme) == 1


def test_who_may_not_promote_decides_nothing(
    acme: House, adam: httpx.Client, erin: httpx.Client, bob: httpx.Client
) -> None:
    url = asked(adam)["url"]

    assert [client.post(f"{url}approve/", json={}).status_code for client in (erin, bob)] == [403, 403]
    with acme.inside():
        grants.grant(user=acme.user("erin"), model="sum", actions=["promote"])
    assert erin.post(f"{url}approve/", json={}).status_code == 200, "a grant makes an entitled person"


def test_a_service_account_is_no_second_person_and_its_keeper_is_none_for_it(acme: House) -> None:
    with acme.inside():
        robot = people.create_service_account(username="robot", role="admin", responsible=acme.user("adam"))
        version = AliasMove.objects.get().model.versions.get(number=2)
        own = promotions.promote(version=version, alias="champion", by=robot, now=timezone.now())
        others = promotions.promote(version=version, alias="canary", by=acme.user("alice"), now=timezone.now())
        assert isinstance(own, PromotionRequest)
        assert isinstance(others, PromotionRequest)

        for by, request in (
            (acme.principal("adam"), own),
            (Principal(user=robot), others),
            (Principal(user=robot), own),
        ):
            with pytest.raises(NotAllowed):
                promotions.approve(request=request, by=by, now=timezone.now())
        promotions.approve(request=own, by=acme.principal("alice"), now=timezone.now())


def test_nobody_is_two_people_by_a_key(acme: House, http_for: HttpFor, adam: httpx.Client, alice: httpx.Client) -> None:
    """Adam may make keys for Erin, who is below him: with one he could ask as her, or approve as her."""
    with acme.inside():
        grants.grant(user=acme.user("erin"), model="sum", actions=["promote"])
    key = adam.post("/api/v1/keys/", json={"name": "k", "scopes": ["admin"], "user": "erin"}).json()["api_key"]
    as_erin = http_for(None)
    as_erin.headers["X-API-Key"] = key
    own = asked(adam)["url"]

    assert as_erin.post(f"{own}approve/", json={}).status_code == 403
    hers = as_erin.post(f"{SUM}aliases/", json={"alias": "canary", "version": 2}).json()["url"]
    assert adam.post(f"{hers}approve/", json={}).status_code == 403
    assert http_for("erin").post(f"{own}approve/", json={}).status_code == 200, "the control: Erin herself"
    assert alice.post(f"{hers}approve/", json={}).status_code == 200


@pytest.mark.parametrize("asks", ["host", "guest"])
def test_nobody_is_two_people_by_inviting_an_address_of_their_own(acme: House, asks: str) -> None:
    """Adam invites himself once more, and would ask as one and approve as the other."""
    now = timezone.now()
    with acme.inside():
        token = token_of(invite(email="adam2@acme.example", role="admin", now=now, by=acme.principal("adam")))
        guest = accept_invitation(token=token, username="adam2", password=PASSWORD, now=now)
        host = acme.user("adam")
        first, second = (host, guest) if asks == "host" else (guest, host)
        version = AliasMove.objects.get().model.versions.get(number=2)
        request = promotions.promote(version=version, alias="champion", by=first, now=now)
        assert isinstance(request, PromotionRequest)

        with pytest.raises(NotAllowed):
            promotions.approve(request=request, by=Principal(user=second), now=now + timedelta(days=29))
        assert may_approve(Principal(user=acme.user("alice")), model="sum", requested_by=first, now=now)  # the control
        assert may_approve(Principal(user=second), model="sum", requested_by=first, now=now + timedelta(days=30))


def test_guests_of_guests_and_of_one_host_are_no_second_person_for_each_other(acme: House) -> None:
    now = timezone.now()

    def came(name: str, host: User) -> User:
        token = token_of(invite(email=f"{name}@acme.example", role="admin", now=now, by=Principal(user=host)))
        return accept_invitation(token=token, username=name, password=PASSWORD, now=now)

    with acme.inside():
        host = acme.user("adam")
        guest, sibling = came("adam2", host), came("adam3", host)
        of_guest = came("adam4", guest)
        everybody = [host, guest, sibling, of_guest]

        for first in everybody:
            for second in everybody:
                assert not may_approve(Principal(user=second), model="sum", requested_by=first, now=now)
            assert may_approve(acme.principal("alice"), model="sum", requested_by=first, now=now)


def test_whom_an_owner_invited_is_a_second_person_at_once(acme: House) -> None:
    """An owner may do without one anyway, and a team of two begins somewhere."""
    now = timezone.now()
    with acme.inside():
        token = token_of(invite(email="zoe@acme.example", role="admin", now=now, by=acme.principal("alice")))
        guest = accept_invitation(token=token, username="zoe", password=PASSWORD, now=now)

        assert may_approve(Principal(user=guest), model="sum", requested_by=acme.user("alice"), now=now)


def test_who_asked_and_may_no_longer_promote_is_not_enough_for_the_first_pair(
    acme: House, adam: httpx.Client, alice: httpx.Client
) -> None:
    url = asked(adam)["url"]
    with acme.inside():
        from foretell.accounts.members import change_role

        change_role(user=acme.user("adam"), role="viewer")

    assert alice.post(f"{url}approve/", json={}).json()["code"] == "requester_not_entitled"
    assert champion(acme) == 1


def test_only_an_owner_does_without_the_second_pair(acme: House, adam: httpx.Client, alice: httpx.Client) -> None:
    refused = adam.patch(f"{SUM}access/", json={"four_eyes": False})

    assert refused.status_code == 403
    assert adam.get(f"{SUM}access/").json()["four_eyes"] is True
    assert adam.patch(f"{SUM}access/", json={"restricted": True}).status_code == 200
    assert alice.patch(f"{SUM}access/", json={"four_eyes": False}).status_code == 200


def test_of_two_who_decide_at_once_one_does(acme: House, adam: httpx.Client) -> None:
    asked(adam)
    outcomes: list[str] = []

    def decide(verb: Any) -> None:
        from django.db import connection

        try:
            with acme.inside():
                verb(request=PromotionRequest.objects.get(), by=acme.principal("alice"), now=timezone.now())
            outcomes.append("decided")
        except promotions.RequestDecided:
            outcomes.append("too late")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(verb,)) for verb in (promotions.approve, promotions.decline)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["decided", "too late"]


def test_each_step_is_in_the_audit(acme: House, adam: httpx.Client, alice: httpx.Client) -> None:
    from foretell.audit.models import Entry

    alice.post(f"{asked(adam)['url']}approve/", json={})

    with acme.inside():
        steps = Entry.objects.filter(target_id="sum@champion", action__startswith="promotion.").order_by("position")
        assert [step.action for step in steps][-2:] == ["promotion.requested", "promotion.approved"]
        last = steps.last()
        assert last is not None
        assert last.after == {"version": 2, "requested_by": "adam", "approved_by": "alice", "state": "approved"}


def test_the_list_is_filtered_exported_and_of_constant_cost(
    acme: House, adam: httpx.Client, bob: httpx.Client, carol: httpx.Client
) -> None:
    asked(adam)
    adam.post(f"{SUM}aliases/", json={"alias": "canary", "version": 2})

    assert bob.get("/api/v1/promotions/?alias=canary&requested_by=ADAM").json()["count"] == 1
    assert bob.get("/api/v1/promotions/?nothing=1").status_code == 400
    csv = bob.get("/api/v1/promotions/?format=csv").text.splitlines()
    assert len(csv) == 3
    assert csv[0].startswith("id,model,alias,version,")
    with acme.inside():
        grants.change_policy(model="sum", restricted=True)
    assert bob.get("/api/v1/promotions/").json()["count"] == 0, "a model that is hidden has no promotions either"
