"""Builds the compiled core: every ext/solvent/_core/*.pyx becomes solvent._core.<name>.

Environment switches: SOLVENT_NO_EXT=1 installs only the Python part (solvent.reference runs everywhere);
SOLVENT_DEBUG=1 compiles without optimisation and with the compiler's undefined-behaviour traps.
"""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
CORE = Path("ext/solvent/_core")
DEBUG = os.environ.get("SOLVENT_DEBUG") == "1"
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,  # the core works on raw pools; indexes are checked at the edges
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": False,  # division lives in money, behind checks
    "embedsignature": True,
}


class BuildPy(build_py):
    """Ships the .pxd headers beside the compiled modules, so that other projects can cimport them."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "solvent", "_core")
        for header in sorted((ROOT / CORE).glob("*.pxd")):
            self.copy_file(str(header), str(target / header.name))


def extensions():
    if os.environ.get("SOLVENT_NO_EXT") == "1":
        return []
    from Cython.Build import cythonize

    traps = ["-O0", "-g", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    modules = [
        Extension(f"solvent._core.{path.stem}", [str(path)], extra_compile_args=traps if DEBUG else ["-O3"])
        for path in sorted(CORE.glob("*.pyx"))
    ]
    return cythonize(
        modules,
        include_path=["ext"],
        build_dir="build/debug" if DEBUG else "build/cython",
        compiler_directives=DIRECTIVES,
        nthreads=os.cpu_count() or 1,
    )


if __name__ == "__main__":  # cythonize starts workers that import this file
    os.chdir(ROOT)
    setup(ext_modules=extensions(), cmdclass={"build_py": BuildPy})
