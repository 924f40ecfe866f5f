"""Asks a server by MLflow's own scoring client, as `task` on standard input says; prints what came back as JSON."""

import json
import sys

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient


def refused(call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except Exception as error:  # noqa: BLE001  it raises nothing more telling
        return str(error)
    return None


def main():
    task = json.load(sys.stdin)
    client = ScoringServerClient(task["host"], task["port"])
    client.wait_server_ready(timeout=10)
    frame = pd.DataFrame(task["rows"], columns=task["columns"])
    extra = frame.assign(target=0)
    json.dump(
        {
            "version": client.get_version(),
            "frame": client.invoke(frame).get_predictions().iloc[:, 0].tolist(),
            "frame with params": client.invoke(frame, params={"unknown": 1}).get_predictions().iloc[:, 0].tolist(),
            "frame with one more column": client.invoke(extra).get_predictions().iloc[:, 0].tolist(),
            "frame in another order": client.invoke(frame[frame.columns[::-1]]).get_predictions().iloc[:, 0].tolist(),
            "array": client.invoke(np.array(task["rows"])).get_predictions().iloc[:, 0].tolist()
            if task["is_matrix"]
            else None,
            "list": client.invoke(task["rows"]).get_predictions().iloc[:, 0].tolist(),
            "without a column": refused(client.invoke, frame.drop(columns=task["columns"][0])),
            "a stranger": refused(ScoringServerClient(task["bare_host"], task["port"]).invoke, frame),
        },
        sys.stdout,
    )


main()
