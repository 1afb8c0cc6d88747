"""Templates as CloudFormation resolves them: every reference becomes a text as long as it can be.

The templates are the reviewed ones, which other tests compare with what is synthesised.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Template = Mapping[str, Any]

SNAPSHOTS: Mapping[str, Template] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "snapshots").glob("*.json"))
}

_PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-7",
    "AWS::URLSuffix": "amazonaws.com.cn",
    "AWS::StackName": "s" * 128,
    "AWS::StackId": "arn:aws:cloudformation:ap-southeast-7:111122223333:stack/" + "s" * 165,
    "AWS::NoValue": "",
}
_NAMES = {
    "AWS::ApiGateway::RestApi": 10,
    "AWS::IAM::Role": 64,
    "AWS::KMS::Key": 36,
    "AWS::Lambda::Function": 64,
    "AWS::S3::Bucket": 63,
    "AWS::SQS::Queue": 80,
    "AWS::Scheduler::ScheduleGroup": 64,
    "AWS::StepFunctions::StateMachine": 80,
}
"""Characters that a generated name has at most, where that is less than stack name, logical id and suffix."""
_SUFFIX = 14
_REFERENCED_BY_ARN = {
    "AWS::Batch::JobDefinition",
    "AWS::Batch::JobQueue",
    "AWS::Lambda::LayerVersion",
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
}
_ARNS = {
    "AWS::Batch::JobDefinition": ("batch", "job-definition/"),
    "AWS::Batch::JobQueue": ("batch", "job-queue/"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::IAM::Role": ("iam", "role/"),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::Lambda::Function": ("lambda", "function:"),
    "AWS::Lambda::LayerVersion": ("lambda", "layer:"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
    "AWS::S3::Bucket": ("s3", ""),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:"),
}
"""Service and kind of resource in the ARNs of a type, where a check looks at them."""
_ENDS = {"AWS::Lambda::LayerVersion": ":1", "AWS::Logs::LogGroup": ":*"}
"""What the ARNs of a type have behind the name."""


def resolved(value: Any, template: Template) -> Any:
    """A part of a template with texts in place of its functions."""
    if isinstance(value, list):
        return [resolved(each, template) for each in value]
    if not isinstance(value, dict):
        return value
    name = next(iter(value), "")
    if name in _FUNCTIONS and len(value) == 1:
        return _FUNCTIONS[name](value[name], template)
    assert not name.startswith("Fn::"), f"{name} is not known here"
    return {key: resolved(each, template) for key, each in value.items()}


def _reference(name: str, template: Template) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    kind = template["Resources"].get(name, {}).get("Type")
    return (_arn if kind in _REFERENCED_BY_ARN else _name)(name, template)


def _attribute(path: list[str], template: Template) -> str:
    name, attribute = path
    return _arn(name, template) if attribute.endswith("Arn") else _name(name, template)


def _joined(argument: list[Any], template: Template) -> str:
    between, parts = argument
    return str(between).join(str(resolved(part, template)) for part in parts)


def _found_in_map(argument: list[Any], template: Template) -> str:
    name, _, key = argument
    return max((entry[key] for entry in template["Mappings"][name].values()), key=len)


def _longer(argument: list[Any], template: Template) -> Any:
    _, *cases = argument
    return max((resolved(each, template) for each in cases), key=lambda one: len(str(one)))


def _substituted(text: str, template: Template) -> str:
    def value(match: re.Match[str]) -> str:
        name, _, attribute = match[1].partition(".")
        function = {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
        return str(resolved(function, template))

    return re.sub(r"\$\{([\w:.]+)\}", value, text).replace("${!", "${")


_FUNCTIONS: Mapping[str, Callable[[Any, Template], Any]] = {
    "Ref": _reference,
    "Fn::GetAtt": _attribute,
    "Fn::Join": _joined,
    "Fn::Sub": _substituted,
    "Fn::FindInMap": _found_in_map,
    "Fn::If": _longer,
    "Fn::ImportValue": lambda _, __: "i" * 150,
    "Fn::Select": lambda argument, template: resolved(argument[1], template),
    "Fn::Split": lambda argument, template: resolved(argument[1], template),
}


def _name(name: str, template: Template) -> str:
    if name in template.get("Parameters", {}):
        return "p" * 128
    kind = template["Resources"][name]["Type"]
    generated = f"{'s' * 128}-{name}{'x' * _SUFFIX}"
    return generated[: _NAMES.get(kind, len(generated))]


def _arn(name: str, template: Template) -> str:
    made = template["Resources"][name]["Type"]
    service, kind = _ARNS.get(made, ("s" * 10, "k" * 20))
    region = "" if service in {"iam", "s3"} else _PSEUDO["AWS::Region"]
    account = "" if service == "s3" else _PSEUDO["AWS::AccountId"]
    head = f"arn:{_PSEUDO['AWS::Partition']}:{service}:{region}:{account}:"
    return f"{head}{kind}{_name(name, template)}{_ENDS.get(made, '')}"


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Logical id and resolved properties of the resources of a type."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resolved(resource.get("Properties", {}), template)


def identity_policies(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The logical id of each role that the template makes, with each of its policies."""
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in role.get("Policies", ()):
            yield name, policy["PolicyDocument"]
    for name, policy in of_type(template, "AWS::IAM::Policy"):
        for role in template["Resources"][name]["Properties"]["Roles"]:
            yield role["Ref"] if isinstance(role, dict) else role, policy["PolicyDocument"]


def definitions(template: Template) -> Iterator[tuple[str, str]]:
    """Logical id and definition of each state machine, with its substitutions."""
    for name, machine in of_type(template, "AWS::StepFunctions::StateMachine"):
        text = machine["DefinitionString"]
        for key, value in machine.get("DefinitionSubstitutions", {}).items():
            text = text.replace(f"${{{key}}}", value)
        yield name, text
