from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.aws.diagnosis import advice, refused_step

ROLE = "arn:aws:iam::123456789012:role/bincount-training"


QUOTA = (
    "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: The account-level service limit "
    "'ml.g5.2xlarge for training job usage' is 0 Instances, with a request delta of 1 Instances."
)
REPOSITORY = (
    "ClientError: Cannot find repository: bincount-training in registry ID: 123456789012 Please check if your ECR "
    "repository and image exist and role has proper pull permissions for SageMaker: image does not exist"
)
ASSUME = (
    f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
    "'sagemaker.amazonaws.com' to assume the role."
)
PASS = f"User: arn:aws:sts::1:assumed-role/me is not authorized to perform: iam:PassRole on resource: {ROLE}"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (QUOTA, "ask for more of 'ml.g5.2xlarge for training job usage' under Service Quotas"),
        (f"ResourceLimitExceeded: {QUOTA}", "ask for more of 'ml.g5.2xlarge for training job usage' under Service"),
        ("ResourceLimitExceeded: too many", "ask for more of this quota"),
        ("CapacityError: Unable to provision requested ML compute capacity.", "`bincount resume` tries again"),
        (REPOSITORY, "`bincount images push`"),
        ("The image '1.dkr.ecr.us-east-1.amazonaws.com/x:train-1' does not exist.", "`bincount images push`"),
        ("CannotPullContainerError: manifest unknown", "`bincount images push`"),
        (PASS, f"may not hand {ROLE} on: it needs iam:PassRole"),
        (ASSUME, f"SageMaker cannot assume {ROLE}: `bincount bootstrap`"),
        ("Steps.Tune.TrainingJobSummaries[3].TrainingJobName has no value: 3 is not there", "train.teachers lower"),
        ("AlgorithmError: the photos of class 3 were not found", ""),
        ("AlgorithmError: ValueError: image size is 0", ""),
    ],
)
def test_what_the_service_says_has_its_advice(said: str, what: str) -> None:
    assert what in advice(said)
    assert bool(what) == bool(advice(said))


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert "\n" not in advice(text)
    assert refused_step(text, text) == ""


def test_the_step_that_a_refusal_is_about_is_found_in_branches_too() -> None:
    inner = {"Name": "TrainAgain", "Type": "Training", "Arguments": {}}
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": {}},
        {"Name": "Gate", "Type": "Condition", "Arguments": {"IfSteps": [inner]}},
    ]
    definition = json.dumps({"Steps": steps})
    assert refused_step("Unable to parse step TrainAgain: no image", definition) == "TrainAgain"
    assert refused_step("Unable to parse step 'Train'.", definition) == "Train"
    assert refused_step("Unable to parse pipeline definition. Training is odd", definition) == ""
