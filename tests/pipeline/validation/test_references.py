from collections.abc import Callable
from typing import Any

import pytest

from pipeline.validate import Fault

# What is wrong; where it is sown (`Steps/0` is Split, then Tune, Train, Champion, Evaluate, Gate) and what, `...` to
# take away; the path in the answer and a part of its message.
SEEDS: list[tuple[str, str, Any, str, str]] = [
    (
        "undeclared parameter",
        "Steps/2/Arguments/ResourceConfig/InstanceType",
        {"Get": "Parameters.Machine"},
        "Steps[2].Arguments.ResourceConfig.InstanceType.Get",
        "no parameter 'Machine'",
    ),
    (
        "undeclared parameter in a join",
        "Steps/0/Arguments/ProcessingInputs/0/S3Input/S3Uri/Std:Join/Values/0/Get",
        "Parameters.Data",
        "Steps[0].Arguments.ProcessingInputs[0].S3Input.S3Uri['Std:Join'].Values[0].Get",
        "no parameter 'Data'",
    ),
    (
        "unknown execution variable",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Get": "Execution.Id"},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath.Get",
        "an execution has no 'Id'",
    ),
    (
        "unknown step",
        "Steps/2/Arguments/InputDataConfig/0/DataSource/S3DataSource/S3Uri",
        {"Get": "Steps.Cut.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"},
        "Steps[2].Arguments.InputDataConfig[0].DataSource.S3DataSource.S3Uri.Get",
        "no step 'Cut'",
    ),
    (
        "unknown output",
        "Steps/2/Arguments/InputDataConfig/0/DataSource/S3DataSource/S3Uri",
        {"Get": "Steps.Split.ProcessingOutputConfig.Outputs['all'].S3Output.S3Uri"},
        "Steps[2].Arguments.InputDataConfig[0].DataSource.S3DataSource.S3Uri.Get",
        "there are auxiliary, report, test, train",
    ),
    (
        "a structure where text belongs",
        "Steps/4/Arguments/ProcessingInputs/0/S3Input/S3Uri",
        {"Get": "Steps.Train.ModelArtifacts"},
        "Steps[4].Arguments.ProcessingInputs[0].S3Input.S3Uri",
        "Steps.Train.ModelArtifacts is of type structure where String belongs",
    ),
    (
        "a number where text belongs",
        "Steps/2/Arguments/HyperParameters/dropout",
        {"Get": "Steps.Tune.TrainingJobStatusCounters.Completed"},
        "Steps[2].Arguments.HyperParameters.dropout",
        "where String belongs; make it a String with Std:Join",
    ),
    (
        "metric that the job does not define",
        "Steps/5/Arguments/Conditions/0/LeftValue",
        {"Get": "Steps.Train.FinalMetricDataList['loss'].Value"},
        "Steps[5].Arguments.Conditions[0].LeftValue.Get",
        "FinalMetricDataList.loss: there are ",
    ),
    (
        "unknown member",
        "Steps/4/Arguments/ProcessingInputs/0/S3Input/S3Uri",
        {"Get": "Steps.Train.ModelArtifacts.Uri"},
        "Steps[4].Arguments.ProcessingInputs[0].S3Input.S3Uri.Get",
        "Train leaves no ModelArtifacts.Uri",
    ),
    (
        "hyperparameter that is not tuned",
        "Steps/2/Arguments/HyperParameters/dropout",
        {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['dropout']"},
        "Steps[2].Arguments.HyperParameters.dropout.Get",
        "it tunes learning_rate",
    ),
    (
        "output of a fail step",
        "Steps/5/Arguments/IfSteps/1/Arguments/Stage",
        {"Get": "Steps.BelowGate.ErrorMessage"},
        "Steps[5].Arguments.IfSteps[1].Arguments.Stage.Get",
        "is a Fail step",
    ),
    (
        "unknown function output",
        "Steps/5/Arguments/IfSteps/0/Arguments/ModelPackageDescription",
        {"Get": "Steps.Deploy.OutputParameters['Url']"},
        "Steps[5].Arguments.IfSteps[0].Arguments.ModelPackageDescription.Get",
        "it has EndpointName",
    ),
    (
        "more of a condition than its outcome",
        "Steps/5/Arguments/IfSteps/1/Arguments/Stage",
        {"Get": "Steps.Gate.Value"},
        "Steps[5].Arguments.IfSteps[1].Arguments.Stage.Get",
        "it leaves Outcome only",
    ),
    (
        "unknown property file",
        "Steps/5/Arguments/Conditions/0/LeftValue/Std:JsonGet/PropertyFile/Get",
        "Steps.Evaluate.PropertyFiles.Scores",
        "Steps[5].Arguments.Conditions[0].LeftValue['Std:JsonGet'].PropertyFile.Get",
        "no property file 'Scores'",
    ),
    (
        "property file of no output",
        "Steps/4/PropertyFiles/0/OutputName",
        "scores",
        "Steps[4].PropertyFiles[0].OutputName",
        "no output 'scores'",
    ),
    ("unknown dependency", "Steps/2/DependsOn", ["Cut"], "Steps[2].DependsOn[0]", "no step 'Cut'"),
    ("cycle", "Steps/0/DependsOn", ["Evaluate"], "Steps[0].DependsOn[0]", "wait for each other"),
    ("cycle with itself", "Steps/0/DependsOn", ["Split"], "Steps[0].DependsOn[0]", "Split -> Split"),
    ("cycle through a branch", "Steps/0/DependsOn", ["Register"], "Steps[0].DependsOn[0]", "wait for each other"),
]


@pytest.mark.parametrize(("sown", "value", "path", "message"), [seed[1:] for seed in SEEDS], ids=[s[0] for s in SEEDS])
def test_a_reference_to_what_is_not_there_is_found_where_it_is(
    seeded: Callable[[str, Any], list[Fault]], sown: str, value: Any, path: str, message: str
) -> None:
    found = seeded(sown, value)
    assert [fault for fault in found if fault.path == path and message in fault.message], "\n".join(map(str, found))


@pytest.mark.parametrize(
    "reference",
    [
        "Steps.Train.FinalMetricDataList['best_val_macro_f1'].Value",
        "Steps.Train.FinalMetricDataList[0].Value",
        "Steps.Train.InputDataConfig['train'].ChannelName",
        "Steps.Tune.TrainingJobSummaries[1].TrainingJobName",
    ],
)
def test_elements_of_lists_are_picked_by_name_or_by_place(
    seeded: Callable[[str, Any], list[Fault]], reference: str
) -> None:
    assert seeded("Steps/5/Arguments/Conditions/0/LeftValue", {"Get": reference}) == []
