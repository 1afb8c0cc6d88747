"""CloudFormation custom resources that drive the L4E API."""
