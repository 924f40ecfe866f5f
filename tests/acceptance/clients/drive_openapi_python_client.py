"""Asks a server by the client that openapi-python-client generated from its document, as `task` on standard input says.

Runs in an environment of its own, and knows nothing of Foretell but that client.
"""

import json
import sys

task = json.load(sys.stdin)
sys.path.insert(0, task["place"])

from generated import AuthenticatedClient  # noqa: E402
from generated.api.models import models_create, models_list, models_read  # noqa: E402
from generated.api.predict import predict_titanic  # noqa: E402
from generated.models import ModelCreateRequest, TitanicRow, TitanicRows  # noqa: E402

ROWS = [TitanicRow.from_dict(row) for row in task["rows"]]

with AuthenticatedClient(base_url=task["url"], token=task["key"]) as client:
    one = predict_titanic.sync(client=client, body=ROWS[0])
    many = predict_titanic.sync(client=client, body=TitanicRows(instances=ROWS))
    wrong = predict_titanic.sync_detailed(client=client, body=TitanicRow.from_dict({**task["rows"][0], "age": "old"}))
    shown = {
        "models": [model.name for model in models_list.sync(client=client, ordering="name").results],
        "fields": sorted(ROWS[0].to_dict()),
        "prediction": one.prediction,
        "predictions": many.predictions,
        "wrong": {"status": wrong.status_code, "attrs": [fault.attr for fault in wrong.parsed.errors]},
        "made": models_create.sync(client=client, body=ModelCreateRequest(name="by-generated-client")).name,
        "missing": models_read.sync(client=client, name="none").code,
    }
print(json.dumps(shown))
