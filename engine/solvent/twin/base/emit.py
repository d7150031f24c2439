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
            EventType.BEGIN, side, account, instrument, code, command, time_ns, command_seq, order_id, filled_lots,
            resting_lots,
        )  # fmt: skip

    def emit_account_opened(
        self, *, account: int, parent: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCOUNT_OPENED, 0, account, 0, 0, 0, parent, 0, 0, 0, 0, second=second,
        )  # fmt: skip

    def emit_ledger(
        self, *, instrument: int, payer: int, receiver: int, amount_units: int, payer_after: int, receiver_after: int,
        ref: int, currency: int, posting: int, margin_of: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LEDGER, margin_of, payer, instrument, currency, posting, receiver, amount_units, payer_after,
            receiver_after, ref,
        )  # fmt: skip

    def emit_position(
        self, *, account: int, instrument: int, mode: int, size_lots: int, cost_units: int, margin_units: int, leverage: int,
        leg: int, leverage_parts: int, chosen_tier: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.POSITION, mode, account, instrument, leg, chosen_tier, size_lots, cost_units, margin_units, leverage,
            leverage_parts,
        )  # fmt: skip

    def emit_marked(
        self, *, instrument: int, price_ticks: int, index_fine: int, fair_fine: int, basis_fine: int, ema_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.MARKED, 0, 0, instrument, 0, 0, price_ticks, index_fine, fair_fine, basis_fine, ema_fine,
        )  # fmt: skip

    def emit_accepted(
        self, *, side: int, account: int, instrument: int, flags: int, tif: int, order_id: int, price_ticks: int,
        size_lots: int, client_id: int, limit_ticks: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCEPTED, side, account, instrument, flags, tif, order_id, price_ticks, size_lots, client_id,
            limit_ticks, second=second,
        )  # fmt: skip

    def emit_rested(
        self, *, side: int, account: int, instrument: int, order_id: int, price_ticks: int, remaining_lots: int,
        hidden_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.RESTED, side, account, instrument, 0, 0, order_id, price_ticks, remaining_lots, hidden_lots, 0,
        )  # fmt: skip

    def emit_trade(
        self, *, side: int, instrument: int, maker_order_id: int, taker_order_id: int, price_ticks: int, size_lots: int,
        maker: int, taker: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TRADE, side, taker, instrument, 0, 0, maker_order_id, taker_order_id, price_ticks, size_lots, maker,
        )  # fmt: skip

    def emit_reduced(
        self, *, side: int, account: int, instrument: int, order_id: int, cut_lots: int, remaining_lots: int, ending: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.REDUCED, side, account, instrument, 0, ending, order_id, cut_lots, remaining_lots, 0, 0,
        )  # fmt: skip

    def emit_done(
        self, *, side: int, account: int, instrument: int, order_id: int, cancelled_lots: int, filled_lots: int,
        client_id: int, ending: int, code: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.DONE, side, account, instrument, code, ending, order_id, cancelled_lots, filled_lots, client_id, 0,
        )  # fmt: skip

    def emit_liquidation(
        self, *, account: int, instrument: int, verdict: int, currency: int, equity_units: int, full_units: int,
        own_units: int, value_units: int, mark_ticks: int, leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LIQUIDATION, leg, account, instrument, currency, verdict, equity_units, full_units, own_units,
            value_units, mark_ticks,
        )  # fmt: skip

    def emit_step_down(
        self, *, side: int, account: int, instrument: int, tier: int, size_lots: int, limit_ticks: int, target_tier: int,
        mark_ticks: int, leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.STEP_DOWN, side, account, instrument, leg, 0, tier, size_lots, limit_ticks, target_tier, mark_ticks,
        )  # fmt: skip

    def emit_takeover(
        self, *, account: int, instrument: int, mode: int, parcel_id: int, size_lots: int, cost_units: int, mark_ticks: int,
        bankruptcy_ticks: int, leg: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TAKEOVER, mode, account, instrument, leg, 0, parcel_id, size_lots, cost_units, mark_ticks,
            bankruptcy_ticks,
        )  # fmt: skip

    def emit_parcel(
        self, *, account: int, instrument: int, change: int, parcel_id: int, size_lots: int, cost_units: int,
        closed_lots: int, gain_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.PARCEL, 0, account, instrument, 0, change, parcel_id, size_lots, cost_units, closed_lots, gain_units,
        )  # fmt: skip

    def emit_adl(
        self, *, account: int, instrument: int, adl_pass: int, parcel_id: int, closed_lots: int, share_units: int, rank: int,
        mark_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.ADL, 0, account, instrument, 0, adl_pass, parcel_id, closed_lots, share_units, rank, mark_ticks,
        )  # fmt: skip

    def emit_replaced(
        self, *, side: int, account: int, instrument: int, order_id: int, price_ticks: int, remaining_lots: int,
        size_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.REPLACED, side, account, instrument, 0, 0, order_id, price_ticks, remaining_lots, size_lots, 0,
        )  # fmt: skip

    def emit_triggered(
        self, *, side: int, account: int, instrument: int, kind: int, source: int, order_id: int, trigger_ticks: int,
        size_lots: int, price_ticks: int, limit_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TRIGGERED, side, account, instrument, kind, source, order_id, trigger_ticks, size_lots, price_ticks,
            limit_ticks,
        )  # fmt: skip

    def emit_indexed(
        self, *, instrument: int, price_ticks: int, index_fine: int, sources: int, external_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.INDEXED, 0, 0, instrument, 0, 0, price_ticks, index_fine, sources, external_fine, 0,
        )  # fmt: skip

    def emit_funded(
        self, *, instrument: int, period: int, rate_ppb: int, collected_units: int, paid_units: int, due_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.FUNDED, 0, 0, instrument, 0, 0, period, rate_ppb, collected_units, paid_units, due_units,
        )  # fmt: skip

    def emit_netted(
        self, *, account: int, instrument: int, price_ticks: int, size_lots: int, value_units: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.NETTED, 0, account, instrument, 0, 0, price_ticks, size_lots, value_units, 0, 0,
        )  # fmt: skip

    def emit_source_changed(
        self, *, instrument: int, source: int, state: int, price_fine: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.SOURCE_CHANGED, 0, 0, instrument, 0, state, source, price_fine, 0, 0, 0,
        )  # fmt: skip

    def emit_rated(
        self, *, instrument: int, period: int, rate_ppb: int, premium_ppb: int, samples: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.RATED, 0, 0, instrument, 0, 0, period, rate_ppb, premium_ppb, samples, 0,
        )  # fmt: skip

    def emit_instrument_added(
        self, *, instrument: int, currency: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.INSTRUMENT_ADDED, 0, 0, instrument, currency, 0, 0, 0, 0, 0, 0, second=second,
        )  # fmt: skip

    def emit_listing_changed(
        self, *, instrument: int, listing: int, price_ticks: int, ends_ns: int, extensions: int, then_listing: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LISTING_CHANGED, 0, 0, instrument, then_listing, listing, price_ticks, ends_ns, extensions, 0, 0,
        )  # fmt: skip

    def emit_accrued(
        self, *, instrument: int, period: int, rate_ppb: int, asked_ppb: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.ACCRUED, 0, 0, instrument, 0, 0, period, rate_ppb, asked_ppb, 0, 0,
        )  # fmt: skip

    def emit_fee_changed(
        self, *, account: int, instrument: int, leg: int, fee_ppb: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.FEE_CHANGED, 0, account, instrument, leg, 0, fee_ppb, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_passed(
        self,
    ) -> None:  # fmt: skip
        self.append(
            EventType.PASSED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_last_set(
        self, *, instrument: int, price_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LAST_SET, 0, 0, instrument, 0, 0, price_ticks, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_client_id_named(
        self, *, account: int, instrument: int, client_id: int, second: bytes = b"",
    ) -> None:  # fmt: skip
        self.append(
            EventType.CLIENT_ID_NAMED, 0, account, instrument, 0, 0, client_id, 0, 0, 0, 0, second=second,
        )  # fmt: skip

    def emit_timer_set(
        self, *, account: int, instrument: int, tag: int, spares: int, deadline_ns: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TIMER_SET, 0, account, instrument, tag, spares, deadline_ns, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_timed_out(
        self, *, account: int, instrument: int, tag: int, deadline_ns: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TIMED_OUT, 0, account, instrument, tag, 0, deadline_ns, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_tagged(
        self, *, account: int, instrument: int, tag: int, order_id: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TAGGED, 0, account, instrument, tag, 0, order_id, 0, 0, 0, 0,
        )  # fmt: skip

    def emit_linked_to(
        self, *, side: int, account: int, instrument: int, arm: int, leg: int, entry_id: int, target_id: int, stop_id: int,
        size_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.LINKED_TO, side, account, instrument, leg, arm, entry_id, target_id, stop_id, size_lots, 0,
        )  # fmt: skip

    def emit_uncrossed(
        self, *, instrument: int, price_ticks: int, size_lots: int, surplus_lots: int, reference_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.UNCROSSED, 0, 0, instrument, 0, 0, price_ticks, size_lots, surplus_lots, reference_ticks, 0,
        )  # fmt: skip

    def emit_indicated(
        self, *, instrument: int, price_ticks: int, size_lots: int, surplus_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.INDICATED, 0, 0, instrument, 0, 0, price_ticks, size_lots, surplus_lots, 0, 0,
        )  # fmt: skip

    def emit_shaped(
        self, *, side: int, account: int, instrument: int, shape_flags: int, peg: int, order_id: int, display_lots: int,
        display_most_lots: int, step_ticks: int, offset_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.SHAPED, side, account, instrument, shape_flags, peg, order_id, display_lots, display_most_lots,
            step_ticks, offset_ticks,
        )  # fmt: skip

    def emit_refilled(
        self, *, side: int, account: int, instrument: int, order_id: int, price_ticks: int, shown_lots: int,
        hidden_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.REFILLED, side, account, instrument, 0, 0, order_id, price_ticks, shown_lots, hidden_lots, 0,
        )  # fmt: skip

    def emit_parked(
        self, *, side: int, account: int, instrument: int, order_id: int, remaining_lots: int, size_lots: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.PARKED, side, account, instrument, 0, 0, order_id, remaining_lots, size_lots, 0, 0,
        )  # fmt: skip

    def emit_trigger_moved(
        self, *, side: int, account: int, instrument: int, order_id: int, trigger_ticks: int,
    ) -> None:  # fmt: skip
        self.append(
            EventType.TRIGGER_MOVED, side, account, instrument, 0, 0, order_id, trigger_ticks, 0, 0, 0,
        )  # fmt: skip
