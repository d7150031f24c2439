"""How the pages are built: `make docs`. Nothing is fetched; what cannot be resolved is an error.

The docstrings of the package are plain text with `code` in backticks, not reStructuredText. `plain_text` makes the one of the
other, so that a star or an underscore in a sentence is never taken for markup.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "engine"))

project = "solvent"
author = "the authors of solvent"
release = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
exclude_patterns = ["_templates"]

myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # a page of records goes from its title to a third level

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures stay short; types are in the stubs
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"solvent {release}"
html_copy_source = False
html_show_sphinx = False


def plain_text(app, what, name, obj, options, lines):
    """A docstring of plain text as reStructuredText: doctests as they are, the rest without markup but for `code`."""
    made, in_test = [], False
    for line in lines:
        in_test = line.lstrip().startswith(">>>") or (in_test and bool(line.strip()))
        made.append(line if in_test else escaped(line))
    lines[:] = made


def escaped(line):
    """A line whose stars, bars and underscores are themselves, and whose `code` is a literal."""
    parts = line.split("`")
    parts[::2] = [re.sub(r"([\\*|]|_\b)", r"\\\1", part) for part in parts[::2]]
    return "``".join(parts) if len(parts) % 2 else "\\`".join(parts)


def setup(app):
    app.connect("autodoc-process-docstring", plain_text)
    return {"parallel_read_safe": True}
