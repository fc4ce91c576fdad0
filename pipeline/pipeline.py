r"""The DAG: from labelled photos to a model version that serves in staging.

    Split -> Tune -> Train -> Champion -> Evaluate -> Gate -> Register -> Deploy
                                                          \-> BelowGate

Each step's arguments are in `pipeline.definition`, what can be set in `pipeline.settings`. Nothing here calls AWS:
the pipeline's `definition()` is text that SageMaker, or the engine in `pipeline.local`, runs.
"""

from __future__ import annotations

from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipeline.definition.common import Context, job_options, service_retries, tuning_options
from pipeline.definition.functions import champion_call, deploy_call
from pipeline.definition.parameters import declare
from pipeline.definition.processing import EVALUATION, evaluate_arguments, split_arguments
from pipeline.definition.registry import below_gate_message, good_enough, register_arguments
from pipeline.definition.training import train_arguments, tune_arguments
from pipeline.sdk import IsolatedTuningStep, OfflineSession, RegisterModelStep
from pipeline.settings import Settings


def build(settings: Settings) -> Pipeline:
    """Return the DAG that the settings ask for.

    Raises:
        UserError: this is no checkout, so that there are no images to name.
    """
    context = Context(settings, declare(settings), OfflineSession(settings.aws.region))

    split = ProcessingStep(
        "Split",
        split_arguments(context),
        **job_options(context, "Photos of one bin stay on one side of train, validation and test"),
    )
    tune = IsolatedTuningStep(
        "Tune",
        tune_arguments(context, split),
        **tuning_options(context, "Search hyperparameters for the lowest validation loss"),
    )
    train = TrainingStep(
        "Train",
        train_arguments(context, split, tune),
        **job_options(context, "Train with the best hyperparameters, data-parallel over all hosts"),
    )
    champion = LambdaStep(
        "Champion",
        **champion_call(context, train),
        description="Find the latest approved version, which the new model has to beat",
    )
    evaluate = ProcessingStep(
        "Evaluate",
        evaluate_arguments(context, split, train, champion),
        property_files=[EVALUATION],
        **job_options(context, "Score the model, as it would be served, on the test set"),
    )
    register = RegisterModelStep(
        "Register",
        register_arguments(context, split, train, evaluate),
        retry_policies=[service_retries()],
        description="Add a version to the model package group",
    )
    deploy = LambdaStep(
        "Deploy",
        **deploy_call(context, register),
        description="Start the deployment to staging; the function does not wait for it",
    )
    gate = ConditionStep(
        "Gate",
        conditions=good_enough(context, evaluate),
        if_steps=[register, deploy],
        else_steps=[FailStep("BelowGate", below_gate_message(context))],
        description="Macro-F1 reaches its minimum and beats the champion",
    )
    return Pipeline(
        name=settings.pipeline_name,
        parameters=context.parameters.all(),
        steps=[split, tune, train, champion, evaluate, gate],
        pipeline_experiment_config=None,  # executions are listed by the pipeline already; one right less to ask for
        sagemaker_session=context.session,
    )
