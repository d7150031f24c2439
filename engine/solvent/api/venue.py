"""The terms of an exchange: names and numbers of instruments and currencies, collateral, rules, and their digest.

Owns the numbers behind the names of instruments and currencies, and the checks that terms fit each other. Never holds state
that a command changes, but for instruments that are added: a kernel enters those, and `note` writes them down.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from solvent.api.base import digest_of
from solvent.presets.catalogue import find
from solvent.schema.codes import Code, InputError, Rejected
from solvent.schema.layouts import NOBODY
from solvent.schema.limits import CURRENCIES_MAX, INSTRUMENTS_MAX
from solvent.schema.terms import values_of
from solvent.terms.collateral import Collateral, Compiled
from solvent.terms.decimals import members_of, plain, unit_of
from solvent.terms.instrument import Instrument, check_groups
from solvent.terms.names import check_name
from solvent.terms.order_words import wrong_type
from solvent.terms.rule_set import RuleSet
from solvent.terms.spec import Spec, to_records
from solvent.terms.tiers import rate_ppb

__all__ = ["Venue"]


class Venue:
    """Holds the terms of an exchange; its arguments are those of Exchange.

    instruments: by number, with those that were noted since. made_with: the number of instruments at first. currencies: their
    units by name, in the order of their numbers. collateral_terms: the currencies that back others, as a kernel takes them.
    coming: an instrument that the kernel is about to enter.
    """

    def __init__(
        self, instruments: Iterable[Instrument], rules: str | RuleSet, collateral: Iterable[Collateral],
        currencies: Mapping[str, int] | None,
    ):  # fmt: skip
        self.coming: Instrument | None = None
        self.instruments = members_of(instruments, Instrument, "what an exchange is made from")
        self.rules = find(rules)
        self.made_with = len(self.instruments)
        self._instrument_ids = {each.name: i for i, each in enumerate(self.instruments)}
        self._check_count()
        self.currencies: dict[str, Decimal] = {}
        for each in self.instruments:
            self.currencies.setdefault(each.settle, each.unit)
            self._check_terms(each)
        check_groups(self.instruments)
        if not isinstance(currencies, Mapping | None):
            raise wrong_type("currencies", currencies, "decimals by name, as {'EUR': 2}")
        for name, decimals in (currencies or {}).items():
            self._name_currency(name, unit_of(decimals))
        self.collateral = sorted(
            members_of(collateral, Collateral, "collateral"), key=lambda each: rate_ppb(each.haircut, "haircut")
        )
        self.collateral_terms = self._back()
        if len(self.currencies) > CURRENCIES_MAX:
            raise InputError(f"an exchange has at most {CURRENCIES_MAX} currencies, not {len(self.currencies)}")
        self.units = list(self.currencies.values())
        self.currency_names = list(self.currencies)
        self._count_steps()

    def _check_count(self) -> None:
        if not self.instruments:
            raise InputError("an exchange is made from at least one Instrument")
        if len(self._instrument_ids) != len(self.instruments):
            raise InputError("two instruments have the same name")
        if len(self.instruments) > INSTRUMENTS_MAX:
            raise InputError(f"an exchange has at most {INSTRUMENTS_MAX} instruments, not {len(self.instruments)}")

    def _back(self) -> list[Compiled]:
        """Returns the currencies that back others, as a kernel takes them."""
        taking, backing = {each.of for each in self.collateral}, [each.currency for each in self.collateral]
        if len(set(backing)) < len(backing) or taking & set(backing):
            raise InputError(f"a currency backs one other, which backs none itself: {', '.join(backing)}")
        for each in self.collateral:
            self._name_currency(each.currency, each.unit)
        self._currency_ids = {name: i for i, name in enumerate(self.currencies)}
        for instrument in self.instruments:
            self._check_backing(instrument)
        settled = {each.settle for each in self.instruments}
        terms = []
        for each in self.collateral:
            index = self._instrument_ids.get(each.price)
            if each.of not in settled or index is None or self.instruments[index].kind != "linear":
                raise InputError(f"collateral {each.currency}: of is a currency of contracts, price a linear instrument")
            priced = self.instruments[index]
            ratio = each.units(priced.tick_size, self.currencies[each.of])
            terms.append((self._currency_ids[each.currency], self._currency_ids[each.of], index, *ratio))
        return terms

    def _check_backing(self, instrument: Instrument) -> None:
        """Raises InputError for tiers whose spare balance cannot be computed position by position."""
        if any(each.currency == instrument.settle for each in self.collateral) and not instrument.spec.adds_up:
            raise InputError(
                f"{instrument.name}: with {instrument.settle} as collateral each tier's initial rate is at least its "
                "maintenance rate and the liquidation fee, and hedge is 'both'"
            )

    def _name_currency(self, name: str, unit: Decimal) -> None:
        check_name(name, "a currency")
        if self.currencies.setdefault(name, unit) != unit:
            raise InputError(f"{name} has a unit of {plain(self.currencies[name])} elsewhere, not of {plain(unit)}")

    def _check_terms(self, instrument: Instrument) -> None:
        if self.currencies[instrument.settle] != instrument.unit:
            raise InputError(f"instruments disagree on the decimals of {instrument.settle}")
        if instrument.basis == "net" and not self.rules.nets:
            raise InputError(f"{instrument.name}: tiers of the net size need a rule set that nets hedges")

    # --- names and numbers

    def instrument_id(self, name: str) -> int:
        """Returns the number of an instrument, NOBODY if there is none."""
        return self._instrument_ids.get(name, NOBODY)

    def currency_id(self, name: str) -> int:
        """Returns the number of a currency. Raises Rejected(UNKNOWN_CURRENCY)."""
        if not isinstance(name, str):
            raise wrong_type("currency", name, "its name")
        if name not in self._currency_ids:
            raise Rejected(Code.UNKNOWN_CURRENCY)
        return self._currency_ids[name]

    # --- instruments that are added

    def offer(self, instrument: Instrument) -> bytes:
        """Checks an instrument that is to be added, and returns it as records.

        Raises Rejected(UNKNOWN_CURRENCY), or InputError where it does not fit the others.
        """
        if not isinstance(instrument, Instrument):
            raise wrong_type("instrument", instrument, "solvent.Instrument")
        if instrument.settle not in self.currencies:
            raise Rejected(Code.UNKNOWN_CURRENCY)
        self._check_terms(instrument)
        if instrument.tier_group:
            check_groups((*self.instruments, instrument))
        self._check_backing(instrument)
        self.coming = instrument
        return to_records(instrument.name, instrument.spec, self._currency_ids[instrument.settle])

    def note(self, count: int) -> None:
        """Writes the coming instrument down if a kernel of so many has entered it, whatever came between."""
        if self.coming is not None and count > len(self.instruments):
            self._instrument_ids = self._instrument_ids | {self.coming.name: len(self.instruments)}
            self.instruments = (*self.instruments, self.coming)
            self._count_steps(len(self.instruments) - 1)

    def _count_steps(self, first: int = 0) -> None:
        """Notes how prices and sizes of the instruments from one on are counted, for the short way of plain orders. It takes
        those whose steps are small numbers."""
        ratios = {
            each.name: (i, *each.tick_size.as_integer_ratio(), *each.lot_size.as_integer_ratio())
            for i, each in enumerate(self.instruments[first:], first)
        }
        if not first:
            self.lots: dict[str, Decimal] = {}
            self.steps: dict[str, tuple[int, ...]] = {}
        self.lots = self.lots | {each.name: each.lot_size for each in self.instruments[first:]}
        self.steps = self.steps | {name: found for name, found in ratios.items() if max(found[1:]) <= 10**12}

    # --- for a kernel

    @property
    def specs(self) -> list[Spec]:
        """Returns the instruments as a kernel takes them."""
        return [each.spec.settled_in(self._currency_ids[each.settle]) for each in self.instruments]

    @property
    def decimals(self) -> list[int]:
        """Returns the decimals of the currencies."""
        return [-int(unit.as_tuple().exponent) for unit in self.units]

    @property
    def config(self) -> bytes:
        """Returns 32 bytes that stand for all terms in the digest."""
        import json  # which takes long to import

        currencies = self.currency_names, self.decimals
        names = [each.name for each in self.instruments]
        listed = [values_of(each) for each in self.specs]
        named = [names, currencies, listed, self.rules.identity(), self.collateral_terms]
        return digest_of(json.dumps(named).encode())[:32]
