"""Builds what the benchmarks need in C and Cython, on demand, into build/; nothing here is part of the package."""

import ctypes
import importlib.util
import os
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILD = ROOT / "build"


def newest(*patterns: str) -> float:
    """When the youngest of these files changed."""
    return max(path.stat().st_mtime for pattern in patterns for path in ROOT.glob(pattern))


def compiled(name: str, *flags: str) -> ctypes.CDLL:
    """The library of `name`.c with the core's -O3, compiled anew when a C file is younger than it."""
    library = BUILD / f"{name}{''.join(flags)}.so"
    if not library.exists() or library.stat().st_mtime < newest("benchmarks/*.c"):
        BUILD.mkdir(exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}.so")
        options = ["-O3", "-shared", "-fPIC", "-Wall", "-Wextra", *flags]
        subprocess.run([os.environ.get("CC", "cc"), *options, "-o", fresh, HERE / f"{name}.c"], check=True)
        fresh.replace(library)
    return ctypes.CDLL(str(library))


def cythonized(name: str) -> ModuleType:
    """The module of `name`.pyx, which may cimport the core, with its directives and -O3."""
    module = BUILD / "bench" / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    sources = (f"benchmarks/{name}.pyx", "ext/solvent/_core/**/*.pxd", "engine/solvent/_core/kernel*.so")
    if not module.exists() or module.stat().st_mtime < newest(*sources):
        _build(name)
    spec = importlib.util.spec_from_file_location(name, module)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _build(name: str) -> None:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    header = str(ROOT / "engine/solvent/include")
    extension = Extension(name, [str(HERE / f"{name}.pyx")], extra_compile_args=["-O3"], include_dirs=[header])
    directives = {"language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False}
    modules = cythonize(
        [extension], include_path=[str(ROOT / "ext"), str(ROOT / "engine")], build_dir=str(BUILD / "bench"),
        compiler_directives=directives, quiet=True, force=True,
    )  # fmt: skip
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp, command.force = str(BUILD / "bench"), str(BUILD / "bench"), True
    command.ensure_finalized()
    command.run()


def declare(library: ctypes.CDLL, name: str, result: type | None, *arguments: type) -> None:
    """Says what a C function takes and returns."""
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


def address(data: bytes | bytearray | memoryview) -> int:
    """Where a buffer's bytes lie; the caller keeps it alive."""
    import numpy as np

    return np.frombuffer(data, "u1").ctypes.data
