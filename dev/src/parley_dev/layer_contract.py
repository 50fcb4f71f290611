"""A contract of import-linter: what is not an outer layer is domain code."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class DomainContract(ForbiddenContract):
    """The contract `forbidden` for every module of `source_modules` but those of the outer layers.

    The forbidden modules and `outer_modules` are the outer layers. A new module is domain code until
    one of them lists it.
    """

    type_name = "domain"

    outer_modules = fields.SetField(subfield=fields.ModuleExpressionField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        options: Any = self  # The library replaces the fields by their values.
        outer = _expand(graph, options.outer_modules) | _expand(graph, options.forbidden_modules)
        outer_packages = {name.rsplit(".", depth)[0] for name in outer for depth in range(1, name.count(".") + 1)}
        domain = _expand(graph, options.source_modules) - outer - outer_packages
        options.source_modules = {ModuleExpression(name) for name in domain}
        return super().check(graph, verbose)


def _expand(graph: ImportGraph, expressions: set[ModuleExpression]) -> set[str]:
    """Return the names of the modules that match, with those in the packages among them."""
    names = {module.name for module in module_expressions_to_modules(graph, expressions)} & graph.modules
    packages = {name for name in names if not graph.is_module_squashed(name)}
    return names.union(*(graph.find_descendants(name) for name in packages))
