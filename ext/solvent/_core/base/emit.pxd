# emit: an emitter for each type of event, whose parameters have the names of its fields.
#
# Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.
# Owns: which field of the record each name is (solvent.schema.events). Never: knows why something happens.
# Each returns the event, for what its caller adds; NULL when nobody wants its type. Cost: that of `append`.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from solvent._core.base.event_log cimport EventLog, append
from solvent._core.base.schema cimport (
    BEGIN, ACCOUNT_OPENED, LEDGER, POSITION, MARKED, ACCEPTED, RESTED, TRADE, REDUCED, DONE, LIQUIDATION, STEP_DOWN,
    TAKEOVER, PARCEL, ADL, REPLACED, TRIGGERED, INDEXED, FUNDED, NETTED, SOURCE_CHANGED, RATED, INSTRUMENT_ADDED,
    LISTING_CHANGED, ACCRUED, FEE_CHANGED, PASSED, LAST_SET, CLIENT_ID_NAMED, TIMER_SET, TIMED_OUT, TAGGED, LINKED_TO,
    UNCROSSED, INDICATED, SHAPED, REFILLED, PARKED, TRIGGER_MOVED, Event,
)


cdef inline Event* emit_begin(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, uint16_t code, uint16_t command, int64_t time_ns,
    int64_t command_seq, int64_t order_id, int64_t filled_lots, int64_t resting_lots
) noexcept nogil:
    return append(log, BEGIN, side, account, instrument, code, command, time_ns, command_seq, order_id, filled_lots,
        resting_lots)


cdef inline Event* emit_account_opened(
    EventLog* log, uint32_t account, int64_t parent
) noexcept nogil:
    return append(log, ACCOUNT_OPENED, 0, account, 0, 0, 0, parent, 0, 0, 0, 0)


cdef inline Event* emit_ledger(
    EventLog* log, uint32_t instrument, uint32_t payer, int64_t receiver, int64_t amount_units, int64_t payer_after,
    int64_t receiver_after, int64_t ref, uint16_t currency, uint16_t posting, uint8_t margin_of
) noexcept nogil:
    return append(log, LEDGER, margin_of, payer, instrument, currency, posting, receiver, amount_units, payer_after,
        receiver_after, ref)


cdef inline Event* emit_position(
    EventLog* log, uint32_t account, uint32_t instrument, uint8_t mode, int64_t size_lots, int64_t cost_units,
    int64_t margin_units, int64_t leverage, uint16_t leg, int64_t leverage_parts, uint16_t chosen_tier
) noexcept nogil:
    return append(log, POSITION, mode, account, instrument, leg, chosen_tier, size_lots, cost_units, margin_units, leverage,
        leverage_parts)


cdef inline Event* emit_marked(
    EventLog* log, uint32_t instrument, int64_t price_ticks, int64_t index_fine, int64_t fair_fine, int64_t basis_fine,
    int64_t ema_fine
) noexcept nogil:
    return append(log, MARKED, 0, 0, instrument, 0, 0, price_ticks, index_fine, fair_fine, basis_fine, ema_fine)


cdef inline Event* emit_accepted(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, uint16_t flags, uint16_t tif, int64_t order_id,
    int64_t price_ticks, int64_t size_lots, int64_t client_id, int64_t limit_ticks
) noexcept nogil:
    return append(log, ACCEPTED, side, account, instrument, flags, tif, order_id, price_ticks, size_lots, client_id,
        limit_ticks)


cdef inline Event* emit_rested(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t price_ticks,
    int64_t remaining_lots, int64_t hidden_lots
) noexcept nogil:
    return append(log, RESTED, side, account, instrument, 0, 0, order_id, price_ticks, remaining_lots, hidden_lots, 0)


cdef inline Event* emit_trade(
    EventLog* log, uint8_t side, uint32_t instrument, int64_t maker_order_id, int64_t taker_order_id, int64_t price_ticks,
    int64_t size_lots, int64_t maker, uint32_t taker
) noexcept nogil:
    return append(log, TRADE, side, taker, instrument, 0, 0, maker_order_id, taker_order_id, price_ticks, size_lots, maker)


cdef inline Event* emit_reduced(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t cut_lots,
    int64_t remaining_lots, uint16_t ending
) noexcept nogil:
    return append(log, REDUCED, side, account, instrument, 0, ending, order_id, cut_lots, remaining_lots, 0, 0)


cdef inline Event* emit_done(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t cancelled_lots,
    int64_t filled_lots, int64_t client_id, uint16_t ending, uint16_t code
) noexcept nogil:
    return append(log, DONE, side, account, instrument, code, ending, order_id, cancelled_lots, filled_lots, client_id, 0)


cdef inline Event* emit_liquidation(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t verdict, uint16_t currency, int64_t equity_units,
    int64_t full_units, int64_t own_units, int64_t value_units, int64_t mark_ticks, uint8_t leg
) noexcept nogil:
    return append(log, LIQUIDATION, leg, account, instrument, currency, verdict, equity_units, full_units, own_units,
        value_units, mark_ticks)


cdef inline Event* emit_step_down(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t tier, int64_t size_lots, int64_t limit_ticks,
    int64_t target_tier, int64_t mark_ticks, uint16_t leg
) noexcept nogil:
    return append(log, STEP_DOWN, side, account, instrument, leg, 0, tier, size_lots, limit_ticks, target_tier, mark_ticks)


cdef inline Event* emit_takeover(
    EventLog* log, uint32_t account, uint32_t instrument, uint8_t mode, int64_t parcel_id, int64_t size_lots,
    int64_t cost_units, int64_t mark_ticks, int64_t bankruptcy_ticks, uint16_t leg
) noexcept nogil:
    return append(log, TAKEOVER, mode, account, instrument, leg, 0, parcel_id, size_lots, cost_units, mark_ticks,
        bankruptcy_ticks)


cdef inline Event* emit_parcel(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t change, int64_t parcel_id, int64_t size_lots,
    int64_t cost_units, int64_t closed_lots, int64_t gain_units
) noexcept nogil:
    return append(log, PARCEL, 0, account, instrument, 0, change, parcel_id, size_lots, cost_units, closed_lots, gain_units)


cdef inline Event* emit_adl(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t adl_pass, int64_t parcel_id, int64_t closed_lots,
    int64_t share_units, int64_t rank, int64_t mark_ticks
) noexcept nogil:
    return append(log, ADL, 0, account, instrument, 0, adl_pass, parcel_id, closed_lots, share_units, rank, mark_ticks)


cdef inline Event* emit_replaced(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t price_ticks,
    int64_t remaining_lots, int64_t size_lots
) noexcept nogil:
    return append(log, REPLACED, side, account, instrument, 0, 0, order_id, price_ticks, remaining_lots, size_lots, 0)


cdef inline Event* emit_triggered(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, uint16_t kind, uint16_t source, int64_t order_id,
    int64_t trigger_ticks, int64_t size_lots, int64_t price_ticks, int64_t limit_ticks
) noexcept nogil:
    return append(log, TRIGGERED, side, account, instrument, kind, source, order_id, trigger_ticks, size_lots, price_ticks,
        limit_ticks)


cdef inline Event* emit_indexed(
    EventLog* log, uint32_t instrument, int64_t price_ticks, int64_t index_fine, int64_t sources, int64_t external_fine
) noexcept nogil:
    return append(log, INDEXED, 0, 0, instrument, 0, 0, price_ticks, index_fine, sources, external_fine, 0)


cdef inline Event* emit_funded(
    EventLog* log, uint32_t instrument, int64_t period, int64_t rate_ppb, int64_t collected_units, int64_t paid_units,
    int64_t due_units
) noexcept nogil:
    return append(log, FUNDED, 0, 0, instrument, 0, 0, period, rate_ppb, collected_units, paid_units, due_units)


cdef inline Event* emit_netted(
    EventLog* log, uint32_t account, uint32_t instrument, int64_t price_ticks, int64_t size_lots, int64_t value_units
) noexcept nogil:
    return append(log, NETTED, 0, account, instrument, 0, 0, price_ticks, size_lots, value_units, 0, 0)


cdef inline Event* emit_source_changed(
    EventLog* log, uint32_t instrument, int64_t source, uint16_t state, int64_t price_fine
) noexcept nogil:
    return append(log, SOURCE_CHANGED, 0, 0, instrument, 0, state, source, price_fine, 0, 0, 0)


cdef inline Event* emit_rated(
    EventLog* log, uint32_t instrument, int64_t period, int64_t rate_ppb, int64_t premium_ppb, int64_t samples
) noexcept nogil:
    return append(log, RATED, 0, 0, instrument, 0, 0, period, rate_ppb, premium_ppb, samples, 0)


cdef inline Event* emit_instrument_added(
    EventLog* log, uint32_t instrument, uint16_t currency
) noexcept nogil:
    return append(log, INSTRUMENT_ADDED, 0, 0, instrument, currency, 0, 0, 0, 0, 0, 0)


cdef inline Event* emit_listing_changed(
    EventLog* log, uint32_t instrument, uint16_t listing, int64_t price_ticks, int64_t ends_ns, int64_t extensions,
    uint16_t then_listing
) noexcept nogil:
    return append(log, LISTING_CHANGED, 0, 0, instrument, then_listing, listing, price_ticks, ends_ns, extensions, 0, 0)


cdef inline Event* emit_accrued(
    EventLog* log, uint32_t instrument, int64_t period, int64_t rate_ppb, int64_t asked_ppb
) noexcept nogil:
    return append(log, ACCRUED, 0, 0, instrument, 0, 0, period, rate_ppb, asked_ppb, 0, 0)


cdef inline Event* emit_fee_changed(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t leg, int64_t fee_ppb
) noexcept nogil:
    return append(log, FEE_CHANGED, 0, account, instrument, leg, 0, fee_ppb, 0, 0, 0, 0)


cdef inline Event* emit_passed(
    EventLog* log
) noexcept nogil:
    return append(log, PASSED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


cdef inline Event* emit_last_set(
    EventLog* log, uint32_t instrument, int64_t price_ticks
) noexcept nogil:
    return append(log, LAST_SET, 0, 0, instrument, 0, 0, price_ticks, 0, 0, 0, 0)


cdef inline Event* emit_client_id_named(
    EventLog* log, uint32_t account, uint32_t instrument, int64_t client_id
) noexcept nogil:
    return append(log, CLIENT_ID_NAMED, 0, account, instrument, 0, 0, client_id, 0, 0, 0, 0)


cdef inline Event* emit_timer_set(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t tag, uint16_t spares, int64_t deadline_ns
) noexcept nogil:
    return append(log, TIMER_SET, 0, account, instrument, tag, spares, deadline_ns, 0, 0, 0, 0)


cdef inline Event* emit_timed_out(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t tag, int64_t deadline_ns
) noexcept nogil:
    return append(log, TIMED_OUT, 0, account, instrument, tag, 0, deadline_ns, 0, 0, 0, 0)


cdef inline Event* emit_tagged(
    EventLog* log, uint32_t account, uint32_t instrument, uint16_t tag, int64_t order_id
) noexcept nogil:
    return append(log, TAGGED, 0, account, instrument, tag, 0, order_id, 0, 0, 0, 0)


cdef inline Event* emit_linked_to(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, uint16_t arm, uint16_t leg, int64_t entry_id,
    int64_t target_id, int64_t stop_id, int64_t size_lots
) noexcept nogil:
    return append(log, LINKED_TO, side, account, instrument, leg, arm, entry_id, target_id, stop_id, size_lots, 0)


cdef inline Event* emit_uncrossed(
    EventLog* log, uint32_t instrument, int64_t price_ticks, int64_t size_lots, int64_t surplus_lots, int64_t reference_ticks
) noexcept nogil:
    return append(log, UNCROSSED, 0, 0, instrument, 0, 0, price_ticks, size_lots, surplus_lots, reference_ticks, 0)


cdef inline Event* emit_indicated(
    EventLog* log, uint32_t instrument, int64_t price_ticks, int64_t size_lots, int64_t surplus_lots
) noexcept nogil:
    return append(log, INDICATED, 0, 0, instrument, 0, 0, price_ticks, size_lots, surplus_lots, 0, 0)


cdef inline Event* emit_shaped(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, uint16_t shape_flags, uint16_t peg, int64_t order_id,
    int64_t display_lots, int64_t display_most_lots, int64_t step_ticks, int64_t offset_ticks
) noexcept nogil:
    return append(log, SHAPED, side, account, instrument, shape_flags, peg, order_id, display_lots, display_most_lots,
        step_ticks, offset_ticks)


cdef inline Event* emit_refilled(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t price_ticks,
    int64_t shown_lots, int64_t hidden_lots
) noexcept nogil:
    return append(log, REFILLED, side, account, instrument, 0, 0, order_id, price_ticks, shown_lots, hidden_lots, 0)


cdef inline Event* emit_parked(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t remaining_lots,
    int64_t size_lots
) noexcept nogil:
    return append(log, PARKED, side, account, instrument, 0, 0, order_id, remaining_lots, size_lots, 0, 0)


cdef inline Event* emit_trigger_moved(
    EventLog* log, uint8_t side, uint32_t account, uint32_t instrument, int64_t order_id, int64_t trigger_ticks
) noexcept nogil:
    return append(log, TRIGGER_MOVED, side, account, instrument, 0, 0, order_id, trigger_ticks, 0, 0, 0)
