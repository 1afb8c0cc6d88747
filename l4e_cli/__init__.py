"""The `l4e` command: an embedded AWS on this machine, with the service and an app deployed to it.

A package of its own, because `constructs_l4e` loads the CDK, which starts a Node process.
"""
