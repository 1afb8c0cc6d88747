"""The names of the parts of an asset, by which one way into the service leads to them all."""

import jsii
from constructs import IConstruct, IValidation

from constructs_l4e import _names
from constructs_l4e._memory import once
from constructs_l4e.dataset import Dataset
from constructs_l4e.imported_dataset import ImportedDataset
from constructs_l4e.imported_model import ImportedModel
from constructs_l4e.label_group import LabelGroup
from constructs_l4e.model import Model
from constructs_l4e.scheduler import InferenceScheduler


def only_own_prefix(asset: IConstruct) -> str:
    """Return what the names of the parts that an asset made begin with, and those of no others.

    That of others is checked once the app is complete.

    Raises:
        ValueError: when one of them begins otherwise.
    """
    prefix = _names.beginning(asset)
    for name in _names_below(asset):
        if not name.startswith(prefix):
            raise ValueError(
                f'the name "{name}" does not begin with "{prefix}", because the path of the '
                "asset is too long for it: shorten the ids, or grant on the parts of the asset"
            )
    once(asset, "only own names", lambda: asset.node.add_validation(_OnlyOwnNames(asset)))
    return prefix


@jsii.implements(IValidation)
class _OnlyOwnNames:
    """Checks, once the app is complete, that the way in of an asset leads to nobody else."""

    def __init__(self, asset: IConstruct) -> None:
        self._asset = asset

    def validate(self) -> list[str]:
        """Return what would be open too."""
        prefix = _names.beginning(self._asset)
        own = set(_names_below(self._asset))
        return [
            f'the names of asset "{self._asset.node.path}" begin with "{prefix}", and so does "{name}": '
            "whoever is granted access to the asset would reach that too; give one of them another id or name"
            for name in _names_below(self._asset.node.root)
            if name.startswith(prefix) and name not in own
        ]


def _names_below(scope: IConstruct) -> list[str]:
    """Return the names of all parts with a name that are made below `scope`."""
    made = scope.node.find_all()
    return [
        *(each.dataset_name for each in made if isinstance(each, Dataset | ImportedDataset)),
        *(each.label_group_name for each in made if isinstance(each, LabelGroup)),
        *(each.model_name for each in made if isinstance(each, Model | ImportedModel)),
        *(each.inference_scheduler_name for each in made if isinstance(each, InferenceScheduler)),
    ]
