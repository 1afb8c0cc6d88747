"""Run a module of the benchmarks with another value of one constant of the engine.

    python -m benchmarks.altered engine.detect.view:CAP=3.0 benchmarks.slow --quick

The constant is changed where it is defined, before anything is imported: what is computed from it, and
whoever imports it, has the other value.
"""

import ast
import importlib
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from benchmarks.constants import assigned


class Altered(MetaPathFinder):
    """Finds one module, in which a name has another value."""

    def __init__(self, module: str, attribute: str, value: str) -> None:
        """Change `attribute`, a name or `Class.name` for the default of a setting, to a Python expression."""
        self._module, self._attribute, self._value = module, attribute, value

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module; None for all others."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == self._module else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._attribute, self._value)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, attribute: str, value: str) -> None:
        super().__init__(name, path)
        self._attribute, self._value = attribute, value

    def get_code(self, fullname: str) -> CodeType:
        """Return the code with the other value, from the source: a cache of bytecode has the usual one."""
        tree = ast.parse(self.get_source(fullname) or "")
        owner, _, name = self._attribute.rpartition(".")
        body = tree.body
        for each in tree.body:
            if isinstance(each, ast.ClassDef) and each.name == owner:
                body = each.body
        places = [at for at, statement in enumerate(body) if name in assigned(statement)]
        if not places:
            raise SystemExit(f"{fullname} has no constant {self._attribute}")
        body[places[-1] + 1 : places[-1] + 1] = ast.parse(f"{name} = {self._value}").body
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


def main() -> None:
    """Change the constant, and run the module that is named with its arguments."""
    change, module, *arguments = sys.argv[1:]
    where, _, value = change.partition("=")
    altered, _, attribute = where.partition(":")
    sys.meta_path.insert(0, Altered(altered, attribute, value))
    importlib.import_module(altered)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
