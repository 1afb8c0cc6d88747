"""AWS's managed layer "SDK for pandas", one ARN per Region.

Source: AWS SDK for pandas 3.17.0, "AWS Lambda Managed Layers". A layer version is immutable, so what a
template refers to never changes.
"""

from aws_cdk import region_info

LAYER_NAME = "AWSSDKPandas-Python314-Arm64"
"""Name of the layer for the runtime and the processor of `_packages`."""

_MAIN_ACCOUNT = "336392948345"
_CHINA_ACCOUNT = "406640652441"

REGIONS = {
    "af-south-1": (_MAIN_ACCOUNT, 8),
    "ap-east-1": ("839552336658", 6),
    "ap-northeast-1": (_MAIN_ACCOUNT, 9),
    "ap-northeast-2": (_MAIN_ACCOUNT, 9),
    "ap-northeast-3": (_MAIN_ACCOUNT, 9),
    "ap-south-1": (_MAIN_ACCOUNT, 9),
    "ap-south-2": ("246107603503", 6),
    "ap-southeast-1": (_MAIN_ACCOUNT, 9),
    "ap-southeast-2": (_MAIN_ACCOUNT, 9),
    "ap-southeast-3": ("258944054355", 6),
    "ap-southeast-4": ("945386623051", 6),
    "ca-central-1": (_MAIN_ACCOUNT, 9),
    "ca-west-1": ("941713567376", 3),
    "cn-north-1": (_CHINA_ACCOUNT, 5),
    "cn-northwest-1": (_CHINA_ACCOUNT, 5),
    "eu-central-1": (_MAIN_ACCOUNT, 9),
    "eu-central-2": ("956415814219", 6),
    "eu-north-1": (_MAIN_ACCOUNT, 9),
    "eu-south-1": ("774444163449", 6),
    "eu-south-2": ("982086096842", 6),
    "eu-west-1": (_MAIN_ACCOUNT, 9),
    "eu-west-2": (_MAIN_ACCOUNT, 9),
    "eu-west-3": (_MAIN_ACCOUNT, 9),
    "il-central-1": ("263840725265", 6),
    "me-central-1": ("593833071574", 6),
    "sa-east-1": (_MAIN_ACCOUNT, 9),
    "us-east-1": (_MAIN_ACCOUNT, 9),
    "us-east-2": (_MAIN_ACCOUNT, 9),
    "us-west-1": (_MAIN_ACCOUNT, 9),
    "us-west-2": (_MAIN_ACCOUNT, 9),
}
"""Publishing account and layer version by Region."""


def layer_arn(region: str) -> str:
    """Return the ARN of the managed layer in `region`, version included.

    Raises:
        ValueError: when the Region has no managed layer.
    """
    if region not in REGIONS:
        raise ValueError(
            f"region '{region}' has no managed layer with numpy and pyarrow (regions that have one:"
            f" {', '.join(REGIONS)}): leave numeric_layer out for the layer that comes with constructs_l4e,"
            " or pass one of your own with both packages for python3.14 on arm64"
        )
    account, version = REGIONS[region]
    partition = region_info.RegionInfo.get(region).partition
    return f"arn:{partition}:lambda:{region}:{account}:layer:{LAYER_NAME}:{version}"
