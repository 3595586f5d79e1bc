"""Loads modules from the one file that set-up compiled them into; `setup.bundle` says what is in the file.

Finding and reading a module takes longer than running it, and a line needs ten. This module's code comes first in that
file. If a source has changed since it was compiled, the ordinary import serves instead.
"""

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec

Module = tuple[str, int, int, bytes]  # file below the root, its time of change (nanoseconds), its size, compiled code


class BundleLoader:
    """A finder and loader of the import system (importlib.abc.MetaPathFinder, importlib.abc.Loader)."""

    def __init__(self, root: str, modules: dict[str, Module]) -> None:
        """`root` is the directory of the package; `modules` are by name."""
        self.root = root
        self.modules = modules

    def is_current(self, name: str) -> bool:
        """Whether a module's source is unchanged since it was compiled; raises OSError if the source is gone."""
        file, changed_ns, size, _ = self.modules[name]
        status = posix.stat(f"{self.root}/{file}")
        return status.st_mtime_ns == changed_ns and status.st_size == size

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """A spec with this loader for a module of the bundle; None for any other module, or a changed one."""
        return ModuleSpec(name, self) if name in self.modules and self.is_current(name) else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """None: the import system creates the module."""

    def exec_module(self, module: object) -> None:
        """Run a module's code, and drop the code."""
        namespace = vars(module)
        file, _, _, code = self.modules.pop(namespace["__name__"])
        namespace["__file__"] = f"{self.root}/{file}"
        if file.endswith("/__init__.py"):
            namespace["__path__"] = [f"{self.root}/{file[:-12]}"]
        exec(marshal.loads(code), namespace)

    def load(self, name: str) -> None:
        """Import a module without the import system, which takes as long again. Its package must be loaded."""
        module = type(sys)(name)
        package, _, own_name = name.rpartition(".")
        if package:
            setattr(sys.modules[package], own_name, module)
        sys.modules[name] = module
        self.exec_module(module)


def install(root: str, modules: dict[str, Module], first: list[str], beside: str) -> None:
    """Load the modules in `first`, and make the import system find the others here.

    `beside` is a directory that the modules import from: it goes on sys.path. Does nothing if a source of `first` has
    changed.
    """
    loader = BundleLoader(root, modules)
    if all(loader.is_current(name) for name in ("make_metrics.hot.bundle_loader", *first)):
        for name in first:
            loader.load(name)
        sys.meta_path.insert(0, loader)
        sys.path.append(beside)
