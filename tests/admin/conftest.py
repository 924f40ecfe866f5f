"""Things of acme's and of globex's behind every address of the admin, with the same ids; and where the numbered ones are."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.admin import addresses
from tests.audit.audited import audited_change
from tests.cast import House
from tests.logged import logged_prediction
from tests.models import ready_sum_model
from tests.web.conftest import signed_in

__all__ = ["signed_in"]

Where = Callable[[str], str]


def furnish(house: House, *, by: str) -> dict[str, str]:
    """Put something behind every address; return the ids of what is numbered."""
    from django.utils import timezone

    from foretell.accounts.models import APIKey, Invitation, User
    from foretell.registry.models import Alias, ModelVersion

    ready_sum_model(house, by=by)
    ready_sum_model(house, by=by, tweak="second")
    logged_prediction(house, by=by, id=addresses.PREDICTION)
    audited_change(house, id=addresses.ENTRY)
    with house.inside():
        User.objects.create(
            id=addresses.USER,
            username="robot",
            is_person=False,
            password="!",
            responsible=User.objects.get(username=by),
        )
        APIKey.objects.create(
            key_id=addresses.KEY, secret_digest="0", user_id=addresses.USER, name="k", scopes=["predict"]
        )
        Invitation.objects.create(
            id=addresses.INVITATION, email="i@acme.example", expires_at=timezone.now() + timedelta(days=1)
        )
        second, alias = ModelVersion.objects.select_related("model").get(number=2), Alias.objects.get()
        return {
            "registry_registeredmodel": str(second.model.pk), "registry_modelversion": str(second.pk), "registry_alias": str(alias.pk),
        }  # fmt: skip


@pytest.fixture
def where(acme: House) -> Where:
    """``where("admin:registry_alias_change")``: its address, with acme's own ids in it."""
    ids = furnish(acme, by="alice")

    def address(name: str) -> str:
        numbered = next((one for one in addresses.NUMBERED if name.startswith(f"admin:{one}_")), None)
        path = addresses.PAGES[name]
        return path.replace(f"/{addresses.ROW}/", f"/{ids[numbered]}/") if numbered else path

    return address
