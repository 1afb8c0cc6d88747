"""List prices of AWS in us-east-1, in USD, without free tiers. Correct them here when AWS changes them.

As AWS's price pages named them in November 2025: those of CloudWatch, DynamoDB, EventBridge Scheduler, KMS,
Lambda, S3, API Gateway and Step Functions below https://aws.amazon.com. STS costs nothing.
"""

REGION, AS_OF = "us-east-1", "2025-11"

HOURS = 730
"""Hours of a month, as AWS counts."""

METRIC = 0.30
"""A custom metric for a month; in proportion to the hours in which it is sent."""
ALARM_METRIC = 0.10
"""A metric of an alarm for a month, of standard resolution."""
PUT_METRIC_DATA = 0.01e-3
LOG_BYTE = 0.50 / 2**30
"""A byte that CloudWatch Logs takes in."""

S3_LIST = S3_PUT = 0.005e-3
S3_GET = 0.0004e-3
S3_BYTE_MONTH = 0.023 / 2**30

TABLE_WRITE_UNIT = 0.625e-6
TABLE_READ_UNIT = 0.125e-6
TABLE_BYTE_MONTH = (0.25 + 0.20) / 2**30
"""A byte that is kept for a month, with point-in-time recovery."""

KEY = 1.00
"""A KMS key for a month, before it is rotated for the first time."""
KEY_REQUEST = 0.03e-4

FUNCTION_REQUEST = 0.20e-6
FUNCTION_GIB_SECOND = 0.0000133334
"""On arm64. Since August 2025 the start of a function is paid for as well."""
DISK_GIB_SECOND = 0.0000000309
"""Of what a function has beyond 512 MiB."""

SCHEDULE_CALL = 1.00e-6
STATE_TRANSITION = 0.025e-3
API_REQUEST = 3.50e-6
