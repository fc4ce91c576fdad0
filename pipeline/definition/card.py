"""The model card of a version: purpose, limits, training and evaluation, for whoever decides about it.

Its schema is that of model packages:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

from __future__ import annotations

import json
import re
from typing import Any

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipeline.definition.common import Context, uri_below
from pipeline.definition.processing import output_uri
from pipeline.images import image_uri
from pipeline.settings import PROJECT

_PURPOSE = "Counts the items in a warehouse bin, 1 to 5, from one photo of the bin, with a probability for each count."
_USES = (
    "To find bins whose contents differ from the inventory: photos that are counted otherwise, and surely, are worth a "
    "look by a person. Photos of kinds that the test set holds, taken like those."
)
_LIMITS = (
    "It knows the counts 1 to 5 alone: an empty bin, or one with more items, gets one of these five all the same. It "
    "sees what the photo shows: items that are hidden, stacked, wrapped together or cut off by the frame are missed. "
    "It does not say which items they are, and finds neither damage nor misplaced items. A photo of something else "
    "than a bin is answered too. Other cameras, lights or bins than in the training photos make it worse."
)
_ADVICE = (
    "Take the probability into account: the report shows how far it can be trusted. An answer that says `ask_a_person` "
    "is not sure enough to stand without one. Do not correct an inventory by the answer alone. Evaluate anew when "
    "cameras, bins or goods change. Photos of one bin are kept on one side of training and test; scores on other "
    "splits are not comparable."
)
_TRAINING = (
    "An image classifier in ONNX, trained with what a search over hyperparameters found best by macro-F1 on the "
    "validation photos; probabilities are calibrated on them. Hyperparameters, data hash and code are in the "
    "provenance of the artifact (model.json), which evaluation.json repeats."
)
_EVALUATION = (
    "Scored as it is served, on test photos that neither the search nor training saw, beside the champion of that "
    "time. The figures and their intervals are in the files named here; none is repeated on this card."
)
_RISK = "Nobody has rated it yet: the rating depends on what is done with the answers."


def model_card(context: Context, split: ProcessingStep, train: TrainingStep, evaluate: ProcessingStep) -> Join:
    """Return the card as JSON text that is complete at run time."""
    evaluation = {
        "name": "Test photos",
        "evaluation_observation": _EVALUATION,
        "evaluation_job_arn": evaluate.properties.ProcessingJobArn,
        "datasets": [output_uri(split, "test")],
        "metadata": {
            "evaluation": uri_below(output_uri(evaluate, "evaluation"), "evaluation.json"),
            "report": uri_below(output_uri(evaluate, "report"), "report.html"),
        },
    }
    return _json_text(
        {
            "model_overview": {
                "model_creator": f"{PROJECT}, pipeline {context.settings.pipeline_name}",
                "model_artifact": [train.properties.ModelArtifacts.S3ModelArtifacts],
            },
            "intended_uses": {
                "purpose_of_model": _PURPOSE,
                "intended_uses": _USES,
                "factors_affecting_model_efficiency": _LIMITS,
                "risk_rating": "Unknown",
                "explanations_for_risk_rating": _RISK,
            },
            "training_details": {
                "training_observations": _TRAINING,
                "training_job_details": {
                    "training_arn": train.properties.TrainingJobArn,
                    "training_datasets": [output_uri(split, name) for name in ("train", "validation")],
                    "training_environment": {"container_image": [image_uri("train", context.settings)]},
                },
            },
            "evaluation_details": [evaluation],
            "additional_information": {"caveats_and_recommendations": _ADVICE},
        }
    )


def _json_text(card: dict[str, Any]) -> Join:
    """Write JSON whose strings may be pipeline variables: ARNs and URIs that the service or this pipeline makes.

    No parameter: what a user types in, DataUri or CommitId, may hold a quotation mark, which would end the string.
    """
    variables: list[PipelineVariable] = []

    def place(variable: PipelineVariable) -> str:
        if isinstance(variable, Join):  # taken apart: that one may hold another is documented nowhere
            return str(variable.on).join(part if isinstance(part, str) else place(part) for part in variable.values)
        variables.append(variable)
        return f"\N{NULL}{len(variables) - 1}\N{NULL}"

    # JSON writes NUL, which no text here holds, as \u0000. Split at the places: text, index of a variable, text, ...
    parts = re.split(r"\\u0000(\d+)\\u0000", json.dumps(card, default=place))
    return Join(on="", values=[variables[int(part)] if at % 2 else part for at, part in enumerate(parts)])
