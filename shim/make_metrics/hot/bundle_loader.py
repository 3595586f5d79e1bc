"""Modules from the one file that set-up compiled them into; `setup.bundle` says what is in it.

Looking for a module and reading it costs more than running it, and a line needs ten. This module's own code is the
first thing in that file. A source that is not the one that was compiled sends everything back to the ordinary import.
"""

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec

Module = tuple[str, int, int, bytes]  # file below the root, when it was changed (nanoseconds), its size, compiled code


class BundleLoader:
    """A finder and loader, as the import system wants them (importlib.abc.MetaPathFinder, importlib.abc.Loader)."""

    def __init__(self, root: str, modules: dict[str, Module]) -> None:
        """Modules by name."""
        self.root = root
        self.modules = modules

    def fits(self, name: str) -> bool:
        """Whether a module's source is still the one that was compiled; raises OSError if it is gone."""
        file, changed_ns, size, _ = self.modules[name]
        found = posix.stat(f"{self.root}/{file}")
        return found.st_mtime_ns == changed_ns and found.st_size == size

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Where a module is to be had: here, or (None) elsewhere."""
        return ModuleSpec(name, self) if name in self.modules and self.fits(name) else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system."""

    def exec_module(self, module: object) -> None:
        """Run a module's code, which is not needed again."""
        names = vars(module)
        file, _, _, code = self.modules.pop(names["__name__"])
        names["__file__"] = f"{self.root}/{file}"
        if file.endswith("/__init__.py"):
            names["__path__"] = [f"{self.root}/{file[:-12]}"]
        exec(marshal.loads(code), names)

    def load(self, name: str) -> None:
        """Import a module and do nothing around it, which would take as long again. Its package must be there."""
        module = type(sys)(name)
        package, _, own = name.rpartition(".")
        if package:
            setattr(sys.modules[package], own, module)
        sys.modules[name] = module
        self.exec_module(module)


def install(root: str, modules: dict[str, Module], first: list[str], beside: str) -> None:
    """Load the modules that are `first`, and have the others looked for here; `beside` is where they import from."""
    loader = BundleLoader(root, modules)
    if all(loader.fits(name) for name in ("make_metrics.hot.bundle_loader", *first)):
        for name in first:
            loader.load(name)
        sys.meta_path.insert(0, loader)
        sys.path.append(beside)
