"""The face of solvent.Exchange on the reference kernel."""

from typing import Any

from solvent import exchange


class Exchange(exchange.Exchange):
    """solvent.Exchange in pure Python: the same face, events and digest; see there."""

    @classmethod
    def _load_kernel(cls) -> Any:
        from solvent.reference.kernel import Kernel

        return Kernel
