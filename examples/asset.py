"""One pump, from nothing: the service and a bucket in one stack, the pump in another.

cdk deploy --app "python3 examples/asset.py" Service     # then upload history to s3://.../Pump1/history/pump/
cdk deploy --app "python3 examples/asset.py" Pump1
"""

import aws_cdk as cdk

from constructs_l4e import AssetStorage, DatasetSchema, EquipmentService, MonitoredAsset, TimeRange

app = cdk.App()

platform = cdk.Stack(app, "Service")
service = EquipmentService(platform, "Service")
storage = AssetStorage(platform, "Data")

pump = MonitoredAsset(
    cdk.Stack(app, "Pump1"),
    "Pump",
    service=service,
    locations=storage.for_asset("Pump1"),
    schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow", "Vibration"]}),
    training=TimeRange.between("2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"),
    evaluation=TimeRange.between("2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"),
    target_sampling_rate="PT1M",
    off_condition=r"pump\Speed < 100",
)

app.synth()
