"""Two tenants with the same ids: neither admin shows or changes anything of the other's, and not theirs is not there."""

import httpx
import pytest

from tests.admin import addresses
from tests.admin.conftest import Where, furnish
from tests.admin.pages import body_of
from tests.cast import House
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token

CANARY = "globexcanary"


@pytest.fixture
def globexs(where: Where, globex: House) -> dict[str, str]:
    """The same things at globex, every name of theirs a canary; return the ids of what is numbered, which are others than acme's."""
    from foretell.accounts.models import APIKey, Invitation, User
    from foretell.registry.models import Alias, RegisteredModel

    furnish(globex, by="carol")
    ids = furnish_more(globex)
    with globex.inside():
        User.objects.filter(pk=addresses.USER).update(username=CANARY, username_key=CANARY)
        APIKey.objects.filter(pk=addresses.KEY).update(name=CANARY)
        Invitation.objects.update(email=f"{CANARY}@globex.example")
        RegisteredModel.objects.update(description=CANARY)
        Alias.objects.filter(name="champion").update(name=CANARY)
    return ids


def furnish_more(house: House) -> dict[str, str]:
    """Make rows whose numbers acme has not, however the sequences stand."""
    from foretell.registry.models import Alias, ModelVersion, RegisteredModel
    from tests.registry.catalogue import listed_model, listed_version

    model = listed_model(house, f"{CANARY}-model", by="carol", id=900_001)
    version = listed_version(model, house, number=900_001, id=900_001)
    with house.inside():
        Alias.objects.create(id=900_001, model=model, name=f"{CANARY}-alias", version=version)
        assert RegisteredModel.objects.filter(pk=900_001).exists()
        assert ModelVersion.objects.filter(pk=900_001).exists()
    return dict.fromkeys(addresses.NUMBERED, "900001")


def test_a_session_of_one_tenant_is_none_at_anothers_admin(signed_in: SignedIn, where: Where, globexs: object) -> None:
    alice = signed_in("alice")
    cookies = {cookie.name: cookie.value or "" for cookie in alice.cookies.jar}
    client = httpx.Client(transport=alice._transport, cookies=cookies, base_url="http://globex.localhost")

    for name in addresses.PAGES:
        answer = client.get(where(name), headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/accounts/login/?next={where(name)}")


def test_no_page_of_acmes_has_anything_of_globexs(signed_in: SignedIn, where: Where, globexs: dict[str, str]) -> None:
    alice, carol = signed_in("alice"), signed_in("carol", tenant="globex")

    acmes = {name: alice.get(where(name)).text for name in addresses.PAGES}
    globexs_lists = "".join(
        carol.get(path).text for name, path in addresses.PAGES.items() if name.endswith("_changelist")
    )

    assert [name for name, page in acmes.items() if CANARY in page] == []
    assert globexs_lists.count(CANARY) >= 5  # the control: it is there to be seen


@pytest.mark.parametrize("verb", ["change", "delete", "history"])
def test_an_id_of_globexs_is_not_there_at_acme_as_one_that_nobody_has(
    signed_in: SignedIn, where: Where, globexs: dict[str, str], verb: str
) -> None:
    alice = signed_in("alice")
    token = csrf_token(alice.get("/admin/").text)

    for name, number in globexs.items():
        base = addresses.OBJECTS[name][0]
        theirs, nobodys = f"{base}/{number}/{verb}/", f"{base}/777777/{verb}/"
        assert alice.get(theirs).status_code == 404
        assert body_of(alice, theirs) == body_of(alice, nobodys)
        assert alice.post(theirs, data={"csrfmiddlewaretoken": token, "post": "yes"}).status_code == 404


def test_the_same_id_changes_ones_own_alone(
    signed_in: SignedIn, where: Where, globexs: object, acme: House, globex: House
) -> None:
    from foretell.accounts.models import User

    carol, path = signed_in("carol", tenant="globex"), where("admin:accounts_user_change")
    form = {"role": "editor", "is_active": "on", "responsible": "carol"}

    answer = carol.post(path, data={"csrfmiddlewaretoken": csrf_token(carol.get(path).text), **form})

    assert answer.status_code == 302
    for house, role in ((acme, "viewer"), (globex, "editor")):
        with house.inside():
            assert User.objects.get(pk=addresses.USER).role == role


def test_messages_stay_with_their_session(signed_in: SignedIn, where: Where, globexs: object) -> None:
    alice, carol = signed_in("alice"), signed_in("carol", tenant="globex")
    path = where("admin:accounts_apikey_delete")

    alice.post(path, data={"csrfmiddlewaretoken": csrf_token(alice.get(path).text), "post": "yes"})

    assert "messagelist" not in carol.get("/admin/").text
    assert "messagelist" in alice.get("/admin/").text
