"""The LookoutEquipment-2020-12-15 API and the jobs behind it."""
