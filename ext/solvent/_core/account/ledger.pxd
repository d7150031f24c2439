# ledger: accounts, wallets, positions. The only place where money moves.
#
# Owns: cash per account and currency (the named house accounts included), positions with exact signed cost and isolated
# margin, the house's parcels. Owns the posting of every unit from one purse to another.
# Never: decides. It posts a fill, a takeover or a transfer, and emits LEDGER, POSITION and PARCEL.
# Invariants (semantics §1, exact after every command): per instrument the sizes of positions and parcels sum to zero. Per
# currency the cash of all accounts and the isolated margins sum to zero (OUTSIDE holds minus the deposits). CLEARING's cash is
# minus the sum of all costs.
# Cost: O(1) a posting; a position is found by walking the account's positions (by instrument, few).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.account.fund_past cimport FundPast
from solvent._core.base.clauses cimport MON_2, MON_3, must
from solvent._core.base.ladder cimport Ladder
from solvent._core.base.money cimport int128
from solvent._core.contract.valuation cimport Held, Instrument, Leverage
from solvent._core.base.event_log cimport EventLog
from solvent._core.base.schema cimport CLEARING, DEFICIT, FUND

cdef enum:
    # rendered: limits
    FIRST_USER = 16
    ACCOUNTS_MAX = 16777216
    # rendered: end

cdef struct Wallet:
    int64_t cash_units
    int64_t hold_units             # the sum of the holds of the positions in this currency
    int128 slack_units             # profit less R_own of its cross positions, as domain read it
    uint64_t known_at              # the ledger's moves at that reading; 0: unknown
    uint64_t noted_at              # the notes' readings when it was noted last

cdef struct OpenSide:              # resting orders of one side
    int64_t lots
    int64_t value_units            # at their limit prices
    int64_t loss_units             # their loss to mark at acceptance

cdef struct Position:
    int64_t size_lots              # > 0 long, < 0 short
    int64_t cost_units             # signed like size
    int64_t margin_units           # isolated only
    OpenSide open[2]               # ordinary resting orders
    OpenSide reduce                # reduce-only orders, all on reduce_side
    int64_t side_holds[2]          # units that the ordinary orders of a side reserve
    int64_t hold_units             # the dearer of both
    Leverage leverage
    int32_t chosen_tier            # its owner's choice, 1-based lower bound of its tier; 0: none
    int32_t liquidation_fee_ppb    # by the account's volume where the instrument has own_fee
    uint64_t dry_run               # the last preview that kept this row
    uint32_t account
    uint32_t instrument
    int32_t next                   # the account's next position, by instrument and leg
    int32_t other_leg               # of a hedge: the other leg; -1 none
    int32_t first_order            # slot of its newest live order
    int32_t first_reduce           # slot of its newest live reduce-only order
    int32_t reduce_count
    int32_t trigger_count          # live orders that have, or had, a trigger
    int32_t order_count            # live orders
    uint8_t leg                    # ONE_WAY, LONG or SHORT
    uint8_t hedged                 # set on the one-way row alone: the position is held in two legs
    uint8_t mode
    uint8_t stuck                  # a step-down found no fill; retried at the instrument's next mark
    uint8_t reduce_side
    uint8_t changed                # since the guards last read it

cdef struct Account:
    int32_t first_position
    uint32_t parent                # a sub-account's master, else 0
    uint8_t touched
    int64_t cooling_ns             # until then its positions are closed wholly

cdef enum Due:                     # what the pipeline has to do for a parcel
    NOT_DUE = 0
    LOOK = 1                       # its value may have changed
    OFFER = 2                      # it is offered in the book, as when it was taken

cdef struct Parcel:
    int64_t parcel_id
    int64_t size_lots
    int64_t cost_units
    int64_t bankruptcy_ticks       # exact; may lie outside the legal range
    uint64_t order_id              # its resting order, or 0
    uint32_t instrument
    uint32_t origin                # the account it was taken from
    int32_t next                   # on its side of its instrument
    int32_t prev
    uint8_t due                    # Due

cdef struct DueParcels:           # those that the pipeline has to look at, by id, in rounds
    Ladder now
    Ladder later                   # of the next round
    int32_t begun                  # parcels below this index have had their turn in this round

cdef struct Collateral:           # a currency that counts as margin of another
    uint32_t currency
    uint32_t of
    uint32_t instrument            # whose index, or mark, is its price
    int64_t numerator              # units of `of` per unit and tick, less the haircut, as a fraction
    int64_t denominator

cdef struct GroupSums:            # of a tier group in a cross domain, while its rows are walked and nothing changes
    uint32_t account               # whose rows; 0: nobody's
    uint32_t tier_group            # 0: unknown
    uint32_t currency
    int64_t net_lots               # absolute net sizes of its instruments, added up
    int64_t long_lots
    int64_t short_lots

cdef struct Owner:                # an account in a currency
    uint32_t account
    uint32_t currency

cdef struct Notes:                # whose cash or positions have changed since the guards last read them; some twice
    Owner* owners
    int32_t count
    int32_t capacity
    bint lost                      # there was no room: anybody may have changed
    uint64_t lost_count            # times that there was none
    uint64_t readings              # times that they were read, from 1 up: by the guards, which end them, or by a ranking

cdef struct Ledger:
    EventLog* log
    Instrument* instruments
    uint32_t instrument_count
    int32_t instrument_capacity
    uint32_t currency_count
    int64_t fund_share_ppb         # the fund's share of a liquidation fee; the rest is an ordinary fee
    int64_t surplus_fee_ppb        # the part of a fill's value that the fund keeps of a trader's surplus
    bint returns_surplus           # what the book pays beyond a parcel's cost is the trader's
    uint64_t moves                 # number of changes of prices and accruals that all positions depend on, from 1 up
    bint orders_count              # resting orders count in the ratio test
    Collateral* collateral         # in the order of conversion
    int32_t collateral_count
    Account* accounts
    Wallet* wallets                # account * currency_count + currency
    uint32_t account_count
    uint32_t account_capacity
    Position* positions
    int32_t position_count
    int32_t position_capacity
    Parcel* parcels                # by id; closed ones stay until they are many
    int32_t parcel_count
    int32_t parcel_capacity
    int32_t closed_parcels
    DueParcels due                 # empty between two commands
    int64_t next_parcel_id
    int64_t* costs                 # by currency: sum over all positions and parcels
    uint32_t* touched              # accounts to test before the command ends
    uint32_t touched_count
    FundPast past
    Notes notes
    GroupSums sums

cdef struct Purse:
    uint32_t account
    uint32_t currency
    int32_t position               # -1: the wallet, else that position's isolated margin

cdef struct Fill:             # one trade, deleveraging or settlement of one position
    int64_t size_delta             # signed lots
    int64_t cost_delta             # signed like size_delta, except at the odd prices of takeovers
    int64_t fee_units
    uint64_t ref                   # order id or parcel id, for the postings
    uint16_t fee_reason
    uint8_t keep_margin            # a step-down: realised profit and margin stay with the position
    uint8_t deleveraged            # ADL: the deficit tops up a shortfall, not the fund

cdef struct Effect:                # a fill's effect on a position and its owner's wallet: computed, judged (admission), posted
    int64_t size_lots
    int64_t cost_units
    int64_t margin_units
    int64_t cash_units             # change of the wallet
    int64_t closed_lots
    int64_t opened_lots            # signed
    int64_t opened_cost            # cost of the opened lots
    int64_t realised_units
    int64_t margin_fee_units       # paid out of the isolated margin by a fill that only reduces
    int64_t wallet_fee_units
    int64_t shortfall_units        # amount by which the isolated margin is below zero; others pay it
    int64_t released_units
    int64_t assigned_units         # units that an isolated position takes from the wallet for the lots that open
    int128 slack_units             # slack of the cross positions after the fill, where domain knows it
    bint known
    bint stands                    # the isolated position is known to be at R_own, or above
    bint tight                     # what it takes depends on the orders that rest

cdef int ledger_open(Ledger* ledger, EventLog* log, uint32_t currencies) noexcept nogil
cdef void ledger_close(Ledger* ledger) noexcept nogil
cdef int accounts_reserve(Ledger* ledger) noexcept nogil
cdef uint32_t account_new(Ledger* ledger, uint32_t parent) noexcept nogil
cdef int instrument_reserve(Ledger* ledger) noexcept nogil
cdef void instrument_close(Instrument* ins) noexcept nogil
cdef int positions_reserve(Ledger* ledger, uint32_t instrument, int32_t more) noexcept nogil
cdef int32_t position_new(Ledger* ledger, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil
cdef void position_default(Ledger* ledger, uint32_t account, uint32_t instrument, uint8_t leg, Position* position) noexcept nogil
cdef void note_anew(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t group_net_lots(Ledger* ledger, Position* p) noexcept nogil
cdef void sides_of(Ledger* ledger, Position* p, Held* held) noexcept nogil
cdef void pay(Ledger* ledger, uint16_t reason, Purse payer, Purse receiver, int64_t amount, uint64_t ref) noexcept nogil
cdef void fund_receives(Ledger* ledger, uint16_t reason, Purse payer, int64_t amount, uint64_t ref) noexcept nogil
cdef void fund_moved(Ledger* ledger, uint32_t currency) noexcept nogil
cdef void fund_pays(Ledger* ledger, uint16_t reason, Purse receiver, int64_t amount, uint64_t ref) noexcept nogil
cdef void fill_effect(Ledger* ledger, int32_t index, Fill* terms, Effect* e) noexcept nogil
cdef void fill_post(Ledger* ledger, int32_t index, Fill* terms, Effect* e) noexcept nogil
cdef void position_fill(Ledger* ledger, int32_t index, Fill* terms) noexcept nogil
cdef void order_touched(Ledger* ledger) noexcept nogil
cdef void position_forget(Ledger* ledger) noexcept nogil
cdef void position_event(Ledger* ledger, int32_t index) noexcept nogil


cdef inline Wallet* wallet_of(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    return &ledger.wallets[<size_t>account * ledger.currency_count + currency]


cdef inline bint comes_before(Position* p, uint32_t instrument, uint8_t leg) noexcept nogil:
    """True if an account's position is listed before that of an instrument and leg."""
    return p.instrument < instrument or (p.instrument == instrument and p.leg < leg)


cdef inline int32_t position_find(Ledger* ledger, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """Returns the index of an account's position, or -1."""
    cdef int32_t index = ledger.accounts[account].first_position
    while index >= 0 and comes_before(&ledger.positions[index], instrument, leg):
        index = ledger.positions[index].next
    if index >= 0 and ledger.positions[index].instrument == instrument and ledger.positions[index].leg == leg:
        return index
    return -1


cdef inline void balance(Ledger* ledger, uint32_t instrument) noexcept nogil:
    """States that an instrument's sizes, and its currency's cash and costs, sum to zero between two commands, and two
    cases."""
    cdef Instrument* ins = &ledger.instruments[instrument]
    must(ins.net_lots == 0, MON_2, &ledger.log.fault)
    must(wallet_of(ledger, CLEARING, ins.currency).cash_units == -ledger.costs[ins.currency], MON_3, &ledger.log.fault)


cdef inline void unlisted(Instrument* ins) noexcept nogil:
    """Sets an instrument's lists of parcels: none."""
    ins.first_parcel[0] = ins.first_parcel[1] = ins.last_parcel[0] = ins.last_parcel[1] = -1


cdef inline int128 insurance(Ledger* ledger, uint32_t currency) noexcept nogil:
    """Returns the fund less the deficit."""
    return <int128>wallet_of(ledger, FUND, currency).cash_units + wallet_of(ledger, DEFICIT, currency).cash_units


cdef inline void notes_begin(Ledger* ledger) noexcept nogil:
    """Makes the notes of a copy, so that whoever reads them begins anew; no parcel of it is due."""
    ledger.notes.owners = NULL
    ledger.notes.count = ledger.notes.capacity = 0
    ledger.notes.lost = True
    memset(&ledger.due, 0, sizeof(DueParcels))


cdef inline void note(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    """Notes, once between two readings, that the margin domains of an account in a currency have changed."""
    if wallet_of(ledger, account, currency).noted_at != ledger.notes.readings:
        note_anew(ledger, account, currency)


cdef inline void domain_forget(Ledger* ledger, Position* p) noexcept nogil:
    """Forgets what is known of a position's margin domain, because the position has changed."""
    cdef uint32_t currency = ledger.instruments[p.instrument].currency
    wallet_of(ledger, p.account, currency).known_at = 0
    p.changed = 1
    note(ledger, p.account, currency)


cdef inline Purse wallet_purse(uint32_t account, uint32_t currency) noexcept nogil:
    cdef Purse purse
    purse.account = account
    purse.currency = currency
    purse.position = -1
    return purse


cdef inline Purse margin_purse(Ledger* ledger, int32_t index) noexcept nogil:
    cdef Purse purse
    purse.account = ledger.positions[index].account
    purse.currency = ledger.instruments[ledger.positions[index].instrument].currency
    purse.position = index
    return purse


cdef inline Held held_of(Ledger* ledger, Position* p) noexcept nogil:
    """Returns the fields of a position that values and tiers read."""
    cdef Held held
    held.size_lots = p.size_lots
    held.cost_units = p.cost_units
    held.leverage = p.leverage
    held.chosen_tier = p.chosen_tier
    held.other_lots = 0
    if p.other_leg >= 0 and not p.mode and not ledger.positions[p.other_leg].mode:
        held.other_lots = ledger.positions[p.other_leg].size_lots
    held.group_net_lots = group_net_lots(ledger, p) if ledger.instruments[p.instrument].tier_group else 0
    if ledger.instruments[p.instrument].larger_leg:
        sides_of(ledger, p, &held)
    return held


cdef inline bint related(Ledger* ledger, Position* p, Position* other) noexcept nogil:
    """True if two positions of an account are of different instruments of one tier group, in one margin domain."""
    cdef Instrument* mine = &ledger.instruments[p.instrument]
    cdef Instrument* its = &ledger.instruments[other.instrument]
    return (mine.tier_group != 0 and its.tier_group == mine.tier_group and its.currency == mine.currency
            and other.instrument != p.instrument and not p.mode and not other.mode)


cdef inline Collateral* backs(Ledger* ledger, uint32_t currency) noexcept nogil:
    """Returns the currency that this one backs, with its price and haircut, or NULL."""
    cdef int32_t i
    for i in range(ledger.collateral_count):
        if ledger.collateral[i].currency == currency:
            return &ledger.collateral[i]
    return NULL


cdef inline void walk_begin(Ledger* ledger, uint32_t account) noexcept nogil:
    """Begins a walk through an account's rows that changes none, so that the sums of a tier group are found once."""
    ledger.sums.account = account
    ledger.sums.tier_group = 0


cdef inline void walk_end(Ledger* ledger) noexcept nogil:
    ledger.sums.account = 0


cdef inline bint hedged(Ledger* ledger, Position* p, Position* other) noexcept nogil:
    """True if two positions of an account may be sides of one hedge. They share an instrument or a tier group, and a margin
    domain."""
    return related(ledger, p, other) or (
        other.instrument == p.instrument and other.leg != p.leg and not p.mode and not other.mode)


cdef inline void touch(Ledger* ledger, uint32_t account) noexcept nogil:
    """Marks the account for the ratio test at the end of the command."""
    if not ledger.accounts[account].touched:
        ledger.accounts[account].touched = 1
        ledger.touched[ledger.touched_count] = account
        ledger.touched_count += 1
