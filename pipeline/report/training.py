"""How training went, epoch by epoch."""

from __future__ import annotations

from pipeline.report import numbers
from pipeline.report.charts import curve
from pipeline.report.files import read_json
from pipeline.report.html import Html, element, note, section
from pipeline.report.metadata import RunRecord

TITLE = "Training"
_SCORE = "validation_ndcg@10"


def build(run: RunRecord) -> Html:
    """Loss and validation score of every epoch."""
    history = read_json(run.output("trainer", "model_run"), "history.json")
    if not history:
        return section(TITLE, note("This run has no finished epoch."))
    # A run that goes on from another has scored it, as epoch 0.
    trained = [line for line in history if line["epoch"]]
    best = max(history, key=lambda line: line[_SCORE])
    seconds = sum(line["seconds"] for line in history)
    said = (
        f"{len(trained)} epoch{'s' if len(trained) > 1 else ''} in "
        f"{numbers.duration(seconds)}; the model is the one of epoch "
        f"{best['epoch']}, validation ndcg@10 {numbers.metric(best[_SCORE])}."
    )
    plots = [
        element(
            "figure",
            element("h4", title),
            curve(
                [str(line["epoch"]) for line in lines],
                [line[key] for line in lines],
                zero=False, series=number,
            ),
        )
        for number, (title, key, lines) in enumerate(
            (
                ("loss", "loss", trained),
                ("validation ndcg@10", _SCORE, history),
            ),
            1,
        )
    ]
    return section(
        TITLE, element("p", said), element("div", *plots, class_="cards wide")
    )
