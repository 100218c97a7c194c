"""Builds the compiled BSON codec where there are Cython and a C compiler, and else says so.

MONGOSPEC_CODEC=compiled makes it an error if it cannot be built; `python` leaves it out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("driver", "bson", "compiled")
MODULES = ("objectid", "decoder", "encoder")


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's hook: extensions in place for an editable install, in the wheel otherwise."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is put together."""
        wanted = os.environ.get("MONGOSPEC_CODEC", "")
        if self.target_name != "wheel" or wanted == "python":
            return
        editable = version == "editable"
        try:
            extensions = build(Path(self.root), editable)
        except problems() as error:
            if wanted == "compiled":
                raise
            self.app.display_warning(f"BSON stays in pure Python, which is slower: {error}")
            return
        if not editable:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"].update(extensions)


def problems() -> tuple[type[Exception], ...]:
    """What is raised where something that compiling needs is missing."""
    try:
        from setuptools.errors import BaseError, CCompilerError  # noqa: PLC0415
    except ImportError:
        return (ImportError,)
    return (ImportError, BaseError, CCompilerError)


def build(root: Path, in_place: bool) -> dict[str, str]:
    """Compile; returns where each extension is, and where it belongs in the wheel."""
    from Cython.Build import cythonize  # noqa: PLC0415
    from setuptools import Distribution, Extension  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    package = ".".join(PACKAGE.parts)
    flags = [] if os.name == "nt" else ["-O3", "-g0"]
    sources = {f"{package}.{name}": [str(PACKAGE / f"{name}.pyx")] for name in MODULES}
    extensions = cythonize(
        [Extension(name, files, extra_compile_args=flags) for name, files in sources.items()],
        build_dir="build",
        quiet=True,
    )
    command = build_ext(Distribution({"name": "mongospec", "ext_modules": extensions}))
    command.inplace = in_place
    command.ensure_finalized()
    command.run()
    built = (Path(command.get_ext_fullpath(extension.name)) for extension in extensions)
    return {str(root / path): str(PACKAGE / path.name) for path in built}
