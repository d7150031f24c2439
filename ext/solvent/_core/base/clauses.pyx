"""What a fault is called; the contract is in clauses.pxd."""


cdef tuple _FAMILIES = ("", "MON", "BOOK", "ORD", "MAR", "FUN", "LIQ", "KER", "SAFE")
cdef dict _OTHERS = {1: "arithmetic beyond 64 bits", 2: "memory is gone", 3: "an impossible state"}


def said(int fault):
    """The words for a fault: 'MON-3 does not hold' for a clause, or what else went wrong."""
    family, number = divmod(fault, 100)
    return f"{_FAMILIES[family]}-{number} does not hold" if family else _OTHERS[number]
