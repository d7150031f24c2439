"""Builds the compiled core: every ext/solvent/_core/**/*.pyx becomes solvent._core.<floor>.<name>.

Environment switches: SOLVENT_NO_EXT=1 installs only the Python part (solvent.reference runs everywhere). SOLVENT_BUILD
names another way to compile (KINDS below), each with generated C of its own in build/<kind>; `make debug` uses them.
SOLVENT_C_CACHE names a folder that keeps the generated C by its content, so that no other build generates it again.
"""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
CORE = Path("ext/solvent/_core")
KINDS = {
    "release": ["-O3"],
    # without optimisation, the compiler traps undefined behaviour
    "debug": ["-O0", "-g", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"],
    # address and undefined-behaviour sanitizers, no recovery, and a call at each block of C for who guides a fuzzer; Python
    # must be started with what these need (tests/programme/builds.py)
    "sanitize": [
        "-O1",
        "-g",
        "-fno-omit-frame-pointer",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fsanitize-coverage=trace-pc",
    ],
    # compiled fast, not to be fast: what the test of the package builds, and `make mutate`
    "quick": ["-O0"],
    # counts how often each statement is run (tests/programme/lines.py)
    "coverage": ["-O0", "--coverage"],
}
KIND = os.environ.get("SOLVENT_BUILD", "release")
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,  # the core works on raw pools; indexes are checked at the edges
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": False,  # division lives in money, behind checks
    "embedsignature": True,
}


def flags(module):
    """How a module is compiled. The matching modules write records field by field and then copy them whole; a vector load has
    to wait for the small stores, so there are none (decisions/0006). `event_view` copies old records. `kernel` and `placement`
    inline all that their headers declare inline: the loop of a batch then makes no call for most messages of a Book, and an
    order that trades none for its path through it."""
    inlines = KIND == "release" and module in ("kernel", "placement")
    inline = ["-DCYTHON_INLINE=inline __attribute__((always_inline))"] if inlines else []
    return inline + KINDS[KIND] + (["-fno-tree-vectorize"] if KIND == "release" and module != "event_view" else [])


class BuildPy(build_py):
    """Ships the .pxd headers beside the compiled modules, so that other projects can cimport them."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "solvent", "_core")
        for header in sorted((ROOT / CORE).rglob("*.pxd")):
            place = target / header.relative_to(ROOT / CORE)
            self.mkpath(str(place.parent))
            self.copy_file(str(header), str(place))


class BuildExt(build_ext):
    """Translates the modules to C when they are built, and not for a list of files or a name."""

    def run(self):
        from Cython.Build import cythonize

        made = cythonize(
            [Extension(each.name, each.sources) for each in self.extensions],
            include_path=["ext"],
            build_dir=f"build/{KIND}/c",
            cache=os.environ.get("SOLVENT_C_CACHE") or False,
            compiler_directives=DIRECTIVES,
            nthreads=os.cpu_count() or 1,
        )
        for each, translated in zip(self.extensions, made, strict=True):
            each.sources, each.depends = translated.sources, translated.depends
        super().run()


def extensions():
    if os.environ.get("SOLVENT_NO_EXT") == "1":
        return []
    link = [flag for flag in KINDS[KIND] if flag in ("-fsanitize=address,undefined", "--coverage")]
    return [
        Extension(
            ".".join(path.relative_to("ext").with_suffix("").parts),
            [str(path)],
            extra_compile_args=flags(path.stem),
            extra_link_args=link,
        )
        for path in sorted(CORE.rglob("*.pyx"))
    ]


if __name__ == "__main__":  # cythonize starts workers that import this file
    os.chdir(ROOT)
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt, "build_py": BuildPy})
