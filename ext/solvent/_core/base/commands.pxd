# commands: a struct for each command, laid out as its record; its names say what each field is.
#
# Rendered from solvent.schema by `python -m solvent.schema.header --write`; never edited by hand.
# Owns: those names (solvent.schema.commands). Never: decides whether a command is allowed.
# Invariant: every struct is one record; the kernel looks at its type and hands the right one on.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.base.schema cimport Command, Extension

cdef struct Advance:  # Moves the clock
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct OpenAccount:  # Opens an account; its name is the second record. parent: the master account of a sub-account, else 0
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t parent
    int64_t unused_amount

cdef struct Deposit:  # Adds money to a wallet
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t currency
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t amount_units

cdef struct Withdraw:  # Takes free money out of a wallet
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t currency
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t amount_units

cdef struct SeedFund:  # Adds money to the insurance fund
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t currency
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t amount_units

cdef struct SetLeverage:  # Sets leverage and margin mode of a position. The leverage is leverage_times / leverage_parts; 0 parts mean a whole
    uint16_t type
    uint8_t records
    uint8_t leg
    uint32_t account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t chosen_tier
    uint64_t unused_client_id
    uint64_t leverage_parts
    int64_t leverage_times

cdef struct MoveMargin:  # Moves a signed amount from the wallet into an isolated position. If next_to_target is not 0, the amount goes to another
    uint16_t type
    uint8_t records
    uint8_t leg
    uint32_t account
    uint32_t instrument
    uint8_t target_leg
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t next_to_target
    uint64_t unused_order_id
    int64_t amount_units

cdef struct TellMark:  # Sets a mark price
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct SettleFunding:  # Settles a funding period at a signed rate over 10**9; longs pay when it is positive
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t period
    int64_t rate_ppb

cdef struct TellIndex:  # Sets an index price: ticks, and millionths of a tick beyond them
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t beyond_fine

cdef struct SetPositionMode:  # Sets how an account holds an instrument: one net position (0), or a long and a short one (1)
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t hedged
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct Transfer:  # Moves free money to another account of the family
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t currency
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t receiver
    int64_t amount_units

cdef struct AddInstrument:  # Adds an instrument. The second record is its name; then come words of 64 bits (schema/terms.py), zero-padded to whole
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct Halt:  # Halts an instrument (listing 1) or lets it trade again (0)
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t listing
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct Settle:  # Closes an instrument for good at a price; 0 stands for its mark price
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct PlaceOrder:  # Places an order. A second record has further terms, a third one its shape if the flags say so; the text behind
    uint16_t type
    uint8_t records
    uint8_t side
    uint32_t account
    uint32_t instrument
    uint8_t tif
    uint8_t flags
    uint16_t stp_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t size_lots
    uint64_t client_id
    uint64_t unused_order_id
    int64_t stp_group

cdef struct AmendOrder:  # Changes size and price of a live order, named by order_id or client_id; 0 leaves a value as it is
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t size_lots
    uint64_t client_id
    uint64_t order_id
    int64_t unused_amount

cdef struct CancelOrder:  # Cancels a live order, named by order_id or client_id
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t client_id
    uint64_t order_id
    int64_t unused_amount

cdef struct MassCancel:  # Cancels all live orders of an account (0xFFFFFFFF: everyone's), instrument (0xFFFFFFFF: all) and side (2: both)
    uint16_t type
    uint8_t records
    uint8_t side
    uint32_t account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct TellSource:  # Reports the price of one constituent of an index: ticks, and millionths of a tick beyond them
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t source
    int64_t beyond_fine

cdef struct TellLast:  # Sets an instrument's last price for the triggers that watch it; trades between users move it on
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct SetTimer:  # Cancels live orders of an account when the clock is timeout_ns further, unless it is set anew before; 0 switches it off
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t instrument
    uint8_t unused_tif
    uint8_t spares
    uint16_t tag
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t timeout_ns

cdef struct Disconnect:  # Cancels all live orders with a tag, of an account (0xFFFFFFFF: everyone's)
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t tag
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t unused_amount

cdef struct Batch:  # Heads the commands of a batch: all of them are applied, or none if one would be refused. account: whose they are;
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t behind

cdef struct SetState:  # Sets the state of an instrument's market (Listing). price_ticks: the price of a settlement, 0 for its mark. ends_ns:
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t unused_account
    uint32_t instrument
    uint8_t then_listing
    uint8_t unused_flags
    uint16_t listing
    int64_t time_ns
    int64_t price_ticks
    int64_t unused_size_lots
    uint64_t unused_client_id
    uint64_t unused_order_id
    int64_t ends_ns

cdef struct AmendTrigger:  # Moves the fixed trigger of a dormant order, named by order_id or client_id, to another price
    uint16_t type
    uint8_t records
    uint8_t unused_side
    uint32_t account
    uint32_t unused_instrument
    uint8_t unused_tif
    uint8_t unused_flags
    uint16_t unused_mode
    int64_t time_ns
    int64_t trigger_ticks
    int64_t unused_size_lots
    uint64_t client_id
    uint64_t order_id
    int64_t unused_amount

cdef struct AttachPair:  # Attaches a target and a stop to a position; the second record has them. size_lots: for how many lots, 0 for whatever the
    uint16_t type
    uint8_t records
    uint8_t side
    uint32_t account
    uint32_t instrument
    uint8_t leg
    uint8_t unused_flags
    uint16_t stp_mode
    int64_t time_ns
    int64_t unused_price_ticks
    int64_t size_lots
    uint64_t unused_client_id
    uint64_t tag
    int64_t stp_group

cdef union Request:  # one record of a command
    Command record
    Extension extension
    Advance advance
    OpenAccount open_account
    Deposit deposit
    Withdraw withdraw
    SeedFund seed_fund
    SetLeverage set_leverage
    MoveMargin move_margin
    TellMark mark
    SettleFunding funding
    TellIndex index
    SetPositionMode set_position_mode
    Transfer transfer
    AddInstrument add_instrument
    Halt halt
    Settle settle
    PlaceOrder order
    AmendOrder amend
    CancelOrder cancel
    MassCancel mass_cancel
    TellSource source
    TellLast set_last
    SetTimer timer
    Disconnect disconnect
    Batch batch
    SetState set_state
    AmendTrigger amend_trigger
    AttachPair attach
