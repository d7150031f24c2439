"""What several tests share. A test imports from here and never from another test (shape/test_tree.py)."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{path.stem}" for path in Path(__file__).parent.glob("*.py")))
