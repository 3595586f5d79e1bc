"""A module that a process may never need: it is loaded when it is used first.

The walk imports this while a recipe line may be waiting: it imports nothing slow.
"""

from __future__ import annotations

import sys
from types import ModuleType


class Later(ModuleType):
    """A module that is loaded at the first access to an attribute.

    importlib.util.LazyLoader does not do: the next `import` of its module asks for `__spec__`, and so loads it.
    """

    def __getattr__(self, name: str) -> object:
        """Load the module, and take over its attributes."""
        module_name = self.__name__
        if sys.modules.get(module_name) is self:
            del sys.modules[module_name]
        module = __import__(module_name)
        self.__dict__.update(vars(module))
        return getattr(module, name)
