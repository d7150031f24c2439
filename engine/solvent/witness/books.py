"""The auditor's view of a margin domain: its equity and requirements, by `values`.

Owns the thresholds, and what resting orders add. Never holds a row of its own (`rows`). Cost: O(instruments) an answer.
"""

from collections import defaultdict
from fractions import Fraction

from solvent.witness.rows import LEGS, Key, Order, Rows
from solvent.witness.spendable import spare
from solvent.witness.values import Held, closing_fee, fill_value, level, plain_rate, profit, ratio_up, required


class Books(Rows):
    """Computes the ratio test of every domain of one exchange."""

    def _bands(self, key: Key, held: Held) -> tuple[tuple[int, int], tuple[int, int]]:
        """Returns (tier, fee rate) of the takeover and of the step-down threshold of one position."""
        rules, isolated = self.rules, self.modes.get(key)
        tier, fee = level(held), self.liquidation_fee(key)
        if tier <= rules.low_tiers:
            low = tier, fee * (rules.fee_isolated_low if isolated else rules.fee_cross_low)
            return low, low
        full = 1, fee * (rules.fee_isolated_full if isolated else rules.fee_cross_full)
        return full, (tier, fee * (rules.fee_isolated_own if isolated else rules.fee_cross_own))

    def _thresholds(self, key: Key, equity: int) -> tuple[int, int]:
        """Returns (full, own) of one position, in units."""
        held = self.held(key)
        bands = self._bands(key, held)
        if self.rules.fee_at == "mark":
            asked = {band: required(held, *band) for band in set(bands)}
        else:
            asked = {(tier, fee): required(held, tier, 0) + closing_fee(held, equity, fee) for tier, fee in set(bands)}
        return asked[bands[0]], max(asked.values())

    def _order_rates(self, key: Key, buys: bool) -> tuple[int | Fraction, int | Fraction]:
        held = self.held(key)
        (full, full_fee), (own, own_fee) = self._bands(key, held)
        return plain_rate(held, full, buys) + full_fee, plain_rate(held, own, buys) + own_fee

    def terms(self, isolated: Key | None, account: int, currency: int) -> tuple[int, int, int]:
        """Returns (equity, R_full, R_own) of an isolated position, or of an account's cross domain in a currency."""
        if isolated:
            members, equity = [isolated], self.margins[isolated]
        else:
            equity = self.wallets[account, currency] + self._collateral(account, currency)
            members = [
                (account, i, leg) for i in range(len(self.specs)) for leg in LEGS
                if self.currency[i] == currency and self.sizes[account, i, leg] and not self.modes.get((account, i, leg))
            ]  # fmt: skip
        equity += sum(profit(self.specs[key[1]], self.sizes[key], self.costs[key], self.marks[key[1]]) for key in members)
        full = own = 0
        for key in members:
            low, high = self._thresholds(key, equity)
            full, own = full + low, own + high
        if not isolated and self.rules.orders != "ignored":
            equity, full, own = self._with_orders(account, currency, equity, full, own)
        if self.rules.takeover_parts:
            full = ratio_up(own * self.rules.takeover_times, self.rules.takeover_parts)
        met = int(self.rules.at_threshold and any(self.sizes[key] for key in members))
        return equity, full + met, own + met

    def _collateral(self, account: int, currency: int) -> int:
        """Returns the worth of other currencies, each rounded down."""
        counted = 0
        for source, of, instrument, up, down in self.exchange.venue.collateral_terms:
            price = self.indices[instrument] or self.marks[instrument]
            if of == currency:
                counted += min(2**54, max(0, spare(self, account, source)) * price * up // down)
        return counted

    def _with_orders(self, account: int, currency: int, equity: int, full: int, own: int) -> tuple[int, int, int]:
        """Adds resting orders to equity and requirements.

        For each position the dearer side of what would open counts, by value or by fee.
        """
        resting: defaultdict[Key, list[Order]] = defaultdict(list)
        for order in self.orders.values():
            cross = order.account == account and not self.modes.get(order.key) and self.currency[order.instrument] == currency
            if cross and order.status == "resting" and not order.house:
                resting[order.key].append(order)
        for key, orders in resting.items():
            spec, size = self.specs[key[1]], self.sizes[key]
            reserved = sum(order.remaining for order in orders if order.reduces)
            dearest = lowest = highest = 0
            for side in (0, 1):
                mine = [order for order in orders if order.side == side and not order.reduces]
                lots = sum(order.remaining for order in mine)
                opens = max(0, lots - max(0, (size if side else -size) - reserved))
                value = sum(fill_value(spec, order.remaining, order.price) for order in mine)
                opening = ratio_up(value * opens, lots) if lots else 0
                asks = [ratio_up(opening * rate, 10**9) for rate in self._order_rates(key, buys=side == 0)]
                dearest, lowest, highest = max(dearest, opening), max(lowest, asks[0]), max(highest, *asks)
            if self.rules.orders == "fee":
                equity -= ratio_up(dearest * spec.taker_fee_ppb, 10**9)
            else:
                full, own = full + lowest, own + highest
        return equity, full, own
