"""An emitter for each type of event, whose parameters have the names of its fields.

Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.
Owns which field of the record each name is (solvent.schema.events). Never knows why something happens.
"""

from solvent.schema.words import EventType
from solvent.twin.base.event_log import Log


class Emitter(Log):
    """The log of an exchange, as those who write to it see it."""

    def emit_begin(
        self, *, side: int, account: int, instrument: int, code: int, command: int, time_ns: int, command_seq: int,
        order_id: int, filled_lots: int, resting_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.BEGIN, side=side, account=account, instrument=instrument, code=code, reason=command, a=time_ns,
            b=command_seq, c=order_id, d=filled_lots, e=resting_lots,
        )  # fmt: skip

    def emit_account_opened(
        self, *, account: int, parent: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCOUNT_OPENED, account=account, a=parent, second=second,
        )  # fmt: skip

    def emit_ledger(
        self, *, instrument: int, payer: int, receiver: int, amount_units: int, payer_after: int, receiver_after: int,
        ref: int, currency: int, posting: int, margin_of: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LEDGER, instrument=instrument, account=payer, a=receiver, b=amount_units, c=payer_after,
            d=receiver_after, e=ref, code=currency, reason=posting, side=margin_of,
        )  # fmt: skip

    def emit_position(
        self, *, account: int, instrument: int, mode: int, size_lots: int, cost_units: int, margin_units: int, leverage: int,
        leg: int, leverage_parts: int, chosen_tier: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.POSITION, account=account, instrument=instrument, side=mode, a=size_lots, b=cost_units, c=margin_units,
            d=leverage, code=leg, e=leverage_parts, reason=chosen_tier,
        )  # fmt: skip

    def emit_marked(
        self, *, instrument: int, price_ticks: int, index_fine: int, fair_fine: int, basis_fine: int, ema_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.MARKED, instrument=instrument, a=price_ticks, b=index_fine, c=fair_fine, d=basis_fine, e=ema_fine,
        )  # fmt: skip

    def emit_accepted(
        self, *, side: int, account: int, instrument: int, flags: int, tif: int, order_id: int, price_ticks: int,
        size_lots: int, client_id: int, limit_ticks: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCEPTED, side=side, account=account, instrument=instrument, code=flags, reason=tif, a=order_id,
            b=price_ticks, c=size_lots, d=client_id, e=limit_ticks, second=second,
        )  # fmt: skip

    def emit_rested(
        self, *, side: int, account: int, instrument: int, order_id: int, price_ticks: int, remaining_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.RESTED, side=side, account=account, instrument=instrument, a=order_id, b=price_ticks, c=remaining_lots,
        )  # fmt: skip

    def emit_trade(
        self, *, side: int, instrument: int, maker_order_id: int, taker_order_id: int, price_ticks: int, size_lots: int,
        maker: int, taker: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TRADE, side=side, instrument=instrument, a=maker_order_id, b=taker_order_id, c=price_ticks,
            d=size_lots, e=maker, account=taker,
        )  # fmt: skip

    def emit_reduced(
        self, *, side: int, account: int, instrument: int, order_id: int, cut_lots: int, remaining_lots: int, ending: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.REDUCED, side=side, account=account, instrument=instrument, a=order_id, b=cut_lots, c=remaining_lots,
            reason=ending,
        )  # fmt: skip

    def emit_done(
        self, *, side: int, account: int, instrument: int, order_id: int, cancelled_lots: int, filled_lots: int,
        client_id: int, ending: int, code: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.DONE, side=side, account=account, instrument=instrument, a=order_id, b=cancelled_lots, c=filled_lots,
            d=client_id, reason=ending, code=code,
        )  # fmt: skip

    def emit_liquidation(
        self, *, account: int, instrument: int, mode: int, verdict: int, currency: int, equity_units: int, full_units: int,
        own_units: int, value_units: int, leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LIQUIDATION, account=account, instrument=instrument, side=mode, reason=verdict, code=currency,
            a=equity_units, b=full_units, c=own_units, d=value_units, e=leg,
        )  # fmt: skip

    def emit_step_down(
        self, *, side: int, account: int, instrument: int, tier: int, size_lots: int, limit_ticks: int, target_tier: int,
        leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.STEP_DOWN, side=side, account=account, instrument=instrument, a=tier, b=size_lots, c=limit_ticks,
            d=target_tier, e=leg,
        )  # fmt: skip

    def emit_takeover(
        self, *, account: int, instrument: int, mode: int, parcel_id: int, size_lots: int, cost_units: int,
        equity_units: int, bankruptcy_ticks: int, leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TAKEOVER, account=account, instrument=instrument, side=mode, a=parcel_id, b=size_lots, c=cost_units,
            d=equity_units, e=bankruptcy_ticks, code=leg,
        )  # fmt: skip

    def emit_parcel(
        self, *, account: int, instrument: int, change: int, parcel_id: int, size_lots: int, cost_units: int,
        closed_lots: int, gain_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.PARCEL, account=account, instrument=instrument, reason=change, a=parcel_id, b=size_lots, c=cost_units,
            d=closed_lots, e=gain_units,
        )  # fmt: skip

    def emit_adl(
        self, *, account: int, instrument: int, adl_pass: int, parcel_id: int, closed_lots: int, share_units: int, rank: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.ADL, account=account, instrument=instrument, reason=adl_pass, a=parcel_id, b=closed_lots,
            c=share_units, d=rank,
        )  # fmt: skip

    def emit_replaced(
        self, *, side: int, account: int, instrument: int, order_id: int, price_ticks: int, remaining_lots: int,
        size_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.REPLACED, side=side, account=account, instrument=instrument, a=order_id, b=price_ticks,
            c=remaining_lots, d=size_lots,
        )  # fmt: skip

    def emit_triggered(
        self, *, side: int, account: int, instrument: int, kind: int, source: int, order_id: int, trigger_ticks: int,
        size_lots: int, price_ticks: int, limit_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TRIGGERED, side=side, account=account, instrument=instrument, code=kind, reason=source, a=order_id,
            b=trigger_ticks, c=size_lots, d=price_ticks, e=limit_ticks,
        )  # fmt: skip

    def emit_indexed(
        self, *, instrument: int, price_ticks: int, index_fine: int, sources: int, external_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.INDEXED, instrument=instrument, a=price_ticks, b=index_fine, c=sources, d=external_fine,
        )  # fmt: skip

    def emit_funded(
        self, *, instrument: int, period: int, rate_ppb: int, collected_units: int, paid_units: int, due_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.FUNDED, instrument=instrument, a=period, b=rate_ppb, c=collected_units, d=paid_units, e=due_units,
        )  # fmt: skip

    def emit_netted(
        self, *, account: int, instrument: int, price_ticks: int, size_lots: int, value_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.NETTED, account=account, instrument=instrument, a=price_ticks, b=size_lots, c=value_units,
        )  # fmt: skip

    def emit_source_changed(
        self, *, instrument: int, source: int, state: int, price_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.SOURCE_CHANGED, instrument=instrument, a=source, reason=state, b=price_fine,
        )  # fmt: skip

    def emit_rated(
        self, *, instrument: int, period: int, rate_ppb: int, premium_ppb: int, samples: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.RATED, instrument=instrument, a=period, b=rate_ppb, c=premium_ppb, d=samples,
        )  # fmt: skip

    def emit_instrument_added(
        self, *, instrument: int, currency: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.INSTRUMENT_ADDED, instrument=instrument, code=currency, second=second,
        )  # fmt: skip

    def emit_listing_changed(
        self, *, instrument: int, listing: int, price_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LISTING_CHANGED, instrument=instrument, reason=listing, a=price_ticks,
        )  # fmt: skip

    def emit_accrued(
        self, *, instrument: int, period: int, rate_ppb: int, asked_ppb: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCRUED, instrument=instrument, a=period, b=rate_ppb, c=asked_ppb,
        )  # fmt: skip

    def emit_fee_changed(
        self, *, account: int, instrument: int, leg: int, fee_ppb: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.FEE_CHANGED, account=account, instrument=instrument, code=leg, a=fee_ppb,
        )  # fmt: skip

    def emit_passed(
        self,
    ) -> None:  # fmt: skip
        self.append(
            EventType.PASSED,
        )  # fmt: skip
