"""Heaps and trees of winners; the contract is in ranking.pxd, the readable twin sorts (twin/liquidation/deleverage.py)."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Owner, Position, backs
from solvent._core.account.adl_rank cimport adl_rank
from solvent._core.account.margin cimport Requirement, Rules, cross_requirement, domain_requirement, upl
from solvent._core.base.clauses cimport LIQ_8, must
from solvent._core.base.money cimport INT64_MIN, ceil128, floor128, int128, magnitude, max64, saturate
from solvent._core.base.pool cimport room, zeroed
from solvent._core.contract.valuation cimport Instrument

cdef enum:
    REACH_BITS = 20                # binary ones behind the point of a reach

cdef struct Standing:          # of a holder, as its rows are
    Winner winner
    int128 bears               # what closing all of it may cost, beyond its own cost; below zero: it bears nothing
    int64_t lots
    bint sound                 # it has equity


cdef void rankings_close(Rankings* rankings) noexcept nogil:
    cdef Ranking* ranking = rankings.first
    cdef Ranking* next
    while ranking != NULL:
        next = ranking.next
        free(ranking.heap)
        free(ranking.nodes)
        free(ranking)
        ranking = next
    memset(rankings, 0, sizeof(Rankings))


cdef inline bint _holds(Ranking* ranking, Position* p) noexcept nogil:
    """True if a row is on the side of a ranking."""
    return p.size_lots != 0 and p.instrument == ranking.instrument and (p.size_lots > 0) == ranking.longs


cdef inline void _stand(Ledger* l, Rules* rules, int32_t index, Requirement* r, Standing* found) noexcept nogil:
    """Finds the standing of a holder whose domain has a requirement."""
    cdef Position* p = &l.positions[index]
    cdef int64_t profit = upl(l, p)
    found.winner.rank = adl_rank(l, rules, index, r)
    found.winner.account = p.account
    found.winner.position = index
    found.lots = magnitude(p.size_lots)
    found.bears = r.equity - profit - p.cost_units
    found.sound = r.equity > 0 and (profit > 0 or not rules.adl_winners_first)
    must(found.winner.account >= FIRST_USER, LIQ_8, &l.log.fault)
    must(found.lots > 0 and found.bears + p.cost_units + profit == r.equity, LIQ_8, &l.log.fault)


# --- Prices ----------------------------------------------------------------------------------------------

cdef inline int64_t _reach(Standing* s) noexcept nogil:
    """Returns a price, in parts of a unit a lot, which no price that the holder bears is above."""
    if not s.sound:
        return INT64_MIN
    return saturate(ceil128((s.bears + 1) * (<int128>1 << REACH_BITS), s.lots) - 1)


cdef Offer offer_of(Ledger* l, int64_t cost_units, int64_t lots) noexcept nogil:
    cdef Offer offer
    must(lots > 0, LIQ_8, &l.log.fault)
    offer.cost_units = cost_units
    offer.lots = lots
    offer.least = max64(INT64_MIN + 1, saturate(floor128(cost_units * (<int128>1 << REACH_BITS), lots)))
    offer.after = -1
    return offer


cdef inline bint _bears(Standing* s, Offer* offer) noexcept nogil:
    """True if a holder's equity is positive, and not negative after all of it closed at the price of an offer."""
    return s.sound and floor128(<int128>offer.cost_units * s.lots, offer.lots) <= s.bears


# --- The heap --------------------------------------------------------------------------------------------

cdef inline bint _before(Winner* a, Winner* b) noexcept nogil:
    """True if a is deleveraged before b: by rank, then by account. Entries of one holder go by place."""
    if a.rank != b.rank:
        return a.rank > b.rank
    return a.account < b.account


cdef void _sink(Ranking* ranking, Ledger* l, int32_t at, Winner winner) noexcept nogil:
    """Puts a winner at a place of the heap, or below it where better ones come first."""
    cdef int32_t child = 2 * at + 1
    while child < ranking.heap_count:
        if child + 1 < ranking.heap_count and _before(&ranking.heap[child + 1], &ranking.heap[child]):
            child += 1
        if not _before(&ranking.heap[child], &winner):
            break
        ranking.heap[at] = ranking.heap[child]
        at = child
        child = 2 * at + 1
    ranking.heap[at] = winner
    must(at < ranking.heap_count, LIQ_8, &l.log.fault)


cdef Winner _pop(Ranking* ranking, Ledger* l) noexcept nogil:
    cdef Winner first = ranking.heap[0]
    must(ranking.heap_count > 0, LIQ_8, &l.log.fault)
    ranking.heap_count -= 1
    if ranking.heap_count > 0:
        _sink(ranking, l, 0, ranking.heap[ranking.heap_count])
        must(not _before(&ranking.heap[0], &first), LIQ_8, &l.log.fault)
    return first


# --- The tree --------------------------------------------------------------------------------------------

cdef inline bint _ahead(Node* nodes, int32_t a, int32_t b) noexcept nogil:
    """True if a node is before another one."""
    if nodes[a].winner.rank != nodes[b].winner.rank or nodes[a].winner.account != nodes[b].winner.account:
        return _before(&nodes[a].winner, &nodes[b].winner)
    return a < b


cdef inline void _measure(Node* nodes, int32_t at) noexcept nogil:
    """Sets how far a branch reaches."""
    cdef Node* node = &nodes[at]
    node.farthest = node.reach
    if node.left >= 0:
        node.farthest = max64(node.farthest, nodes[node.left].farthest)
    if node.right >= 0:
        node.farthest = max64(node.farthest, nodes[node.right].farthest)


cdef void _split(Node* nodes, int32_t at, int32_t by, int32_t* before, int32_t* behind) noexcept nogil:
    """Cuts a branch into what is before a node and what is behind it."""
    if at < 0:
        before[0] = behind[0] = -1
    elif _ahead(nodes, at, by):
        before[0] = at
        _split(nodes, nodes[at].right, by, &nodes[at].right, behind)
        _measure(nodes, at)
    else:
        behind[0] = at
        _split(nodes, nodes[at].left, by, before, &nodes[at].left)
        _measure(nodes, at)


cdef int32_t _joined(Node* nodes, int32_t before, int32_t behind) noexcept nogil:
    """Joins two branches, all of one before all of the other."""
    if before < 0 or behind < 0:
        return behind if before < 0 else before
    if nodes[before].turn > nodes[behind].turn:
        nodes[before].right = _joined(nodes, nodes[before].right, behind)
        _measure(nodes, before)
        return before
    nodes[behind].left = _joined(nodes, before, nodes[behind].left)
    _measure(nodes, behind)
    return behind


cdef int32_t _with(Node* nodes, int32_t at, int32_t new) noexcept nogil:
    """Returns a branch with a new node in it."""
    if at < 0 or nodes[new].turn > nodes[at].turn:
        _split(nodes, at, new, &nodes[new].left, &nodes[new].right)
        at = new
    elif _ahead(nodes, new, at):
        nodes[at].left = _with(nodes, nodes[at].left, new)
    else:
        nodes[at].right = _with(nodes, nodes[at].right, new)
    _measure(nodes, at)
    return at


cdef int32_t _without(Node* nodes, int32_t at, int32_t old) noexcept nogil:
    """Returns a branch without one of its nodes."""
    if at == old:
        return _joined(nodes, nodes[at].left, nodes[at].right)
    if _ahead(nodes, old, at):
        nodes[at].left = _without(nodes, nodes[at].left, old)
    else:
        nodes[at].right = _without(nodes, nodes[at].right, old)
    _measure(nodes, at)
    return at


cdef int32_t _first(Node* nodes, int32_t at, int32_t after, int64_t least) noexcept nogil:
    """Returns the first node of a branch that reaches a price, behind the node `after` if that is not -1; -1: none."""
    cdef int32_t found
    if at < 0 or nodes[at].farthest < least:
        return -1
    if after >= 0 and not _ahead(nodes, after, at):
        return _first(nodes, nodes[at].right, after, least)
    found = _first(nodes, nodes[at].left, after, least)
    if found >= 0:
        return found
    return at if nodes[at].reach >= least else _first(nodes, nodes[at].right, -1, least)


cdef uint64_t _turn(uint64_t number) noexcept nogil:
    """Returns a number that looks drawn, so that no order of entries makes the tree deep."""
    number = (number + 1) * <uint64_t>0x9E3779B97F4A7C15
    number = (number ^ (number >> 32)) * <uint64_t>0xD6E8FEB86659FD93
    return number ^ (number >> 32)


cdef bint _enter(Ranking* ranking, Ledger* l, Standing* s) noexcept nogil:
    """Puts a holder into the tree. False when memory is gone."""
    cdef Node* node
    if not room(<void**>&ranking.nodes, ranking.node_count, &ranking.node_capacity, sizeof(Node)):
        return False
    node = &ranking.nodes[ranking.node_count]
    must(_holds(ranking, &l.positions[s.winner.position]), LIQ_8, &l.log.fault)
    node.winner = s.winner
    node.reach = _reach(s)
    node.turn = _turn(<uint64_t>ranking.node_count)
    ranking.root = _with(ranking.nodes, ranking.root, ranking.node_count)
    ranking.node_count += 1
    must(_first(ranking.nodes, ranking.root, -1, node.reach) >= 0, LIQ_8, &l.log.fault)
    must(ranking.nodes[ranking.root].farthest >= node.reach, LIQ_8, &l.log.fault)
    return True


# --- Making and reading ----------------------------------------------------------------------------------

cdef bint _make(Ranking* ranking, Ledger* l, Rules* rules) noexcept nogil:
    """Ranks all holders of a side. False when memory is gone."""
    cdef Instrument* ins = &l.instruments[ranking.instrument]
    cdef Requirement r
    cdef Standing s
    cdef int32_t i
    ranking.heap_count = ranking.node_count = 0
    ranking.root = -1
    for i in range(ins.member_count):
        if _holds(ranking, &l.positions[ins.members[i]]):
            if not room(<void**>&ranking.heap, ranking.heap_count, &ranking.heap_capacity, sizeof(Winner)):
                return False
            domain_requirement(l, rules, ins.members[i], &r)
            _stand(l, rules, ins.members[i], &r, &s)
            ranking.heap[ranking.heap_count] = s.winner
            ranking.heap_count += 1
    for i in range((ranking.heap_count >> 1) - 1, -1, -1):
        _sink(ranking, l, i, ranking.heap[i])
    for i in range(1, ranking.heap_count):
        must(not _before(&ranking.heap[i], &ranking.heap[(i - 1) >> 1]), LIQ_8, &l.log.fault)
    must(ranking.heap_count <= ins.member_count, LIQ_8, &l.log.fault)
    return True


cdef bint _read_row(Rankings* rankings, Ledger* l, Rules* rules, int32_t index, Requirement* r) noexcept nogil:
    """Enters a row of a domain that has changed. False when memory is gone."""
    cdef Ranking* ranking = rankings.first
    cdef Standing s
    while ranking != NULL:
        ranking.read += ranking.instrument == l.positions[index].instrument
        if _holds(ranking, &l.positions[index]):
            _stand(l, rules, index, r, &s)
            must(s.winner.position == index and ranking.read > 0, LIQ_8, &l.log.fault)
            if not _enter(ranking, l, &s):
                return False
        ranking = ranking.next
    return True


cdef bint _read(Rankings* rankings, Ledger* l, Rules* rules, Owner who) noexcept nogil:
    """Enters the rows of an account in a currency whose rank may have changed. False when memory is gone."""
    cdef int32_t index = l.accounts[who.account].first_position
    cdef Requirement together, alone
    cdef Position* p
    cdef bint known = False
    while index >= 0:
        p = &l.positions[index]
        if l.instruments[p.instrument].currency == who.currency:
            if not p.mode and not known and p.size_lots != 0:
                cross_requirement(l, rules, who.account, who.currency, &together)
                known = True
            if p.mode and p.size_lots != 0:
                domain_requirement(l, rules, index, &alone)
            if not _read_row(rankings, l, rules, index, &alone if p.mode else &together):
                return False
        must(p.account == who.account, LIQ_8, &l.log.fault)
        must(index < l.position_count, LIQ_8, &l.log.fault)
        index = p.next
    return True


cdef bint _read_notes(Rankings* rankings, Ledger* l, Rules* rules) noexcept nogil:
    """Enters everybody who has changed since the last reading. False when memory is gone."""
    cdef Owner who
    cdef int32_t i
    must(rankings.seen <= l.notes.count, LIQ_8, &l.log.fault)
    for i in range(rankings.seen, l.notes.count):
        who = l.notes.owners[i]
        must(who.account < l.account_count and who.currency < l.currency_count, LIQ_8, &l.log.fault)
        if who.account < FIRST_USER:
            continue
        if not _read(rankings, l, rules, who):
            return False
        if backs(l, who.currency) != NULL:
            who.currency = backs(l, who.currency).of
            if not _read(rankings, l, rules, who):
                return False
    return True


cdef Ranking* ranking_of(Rankings* rankings, Ledger* l, Rules* rules, uint32_t instrument, bint longs) noexcept nogil:
    """Returns a side's ranking as its holders are now, made at the first call. NULL when memory is gone."""
    cdef Ranking* ranking
    if l.notes.lost_count != rankings.lost:       # who had no room is not known
        rankings_close(rankings)
        rankings.lost = l.notes.lost_count
    if rankings.first != NULL and not _read_notes(rankings, l, rules):
        return NULL
    rankings.seen = l.notes.count
    l.notes.readings += 1                       # whoever changes from now on is noted again
    ranking = rankings.first
    while ranking != NULL and not (ranking.instrument == instrument and ranking.longs == longs):
        ranking = ranking.next
    if ranking == NULL:
        ranking = <Ranking*>zeroed(1, sizeof(Ranking))
        if ranking == NULL:
            return NULL
        ranking.instrument = instrument
        ranking.longs = longs
        ranking.next = rankings.first
        rankings.first = ranking
        if not _make(ranking, l, rules):
            return NULL
    must(ranking.outdated <= ranking.read, LIQ_8, &l.log.fault)
    must(ranking.heap_count <= l.instruments[instrument].member_count, LIQ_8, &l.log.fault)
    must(rankings.seen == l.notes.count and not (ranking.instrument != instrument or ranking.longs != longs), LIQ_8, &l.log.fault)
    return ranking


# --- The next one ----------------------------------------------------------------------------------------

cdef bint _as_it_is(Ranking* ranking, Ledger* l, Rules* rules, Winner* entry, Standing* s) noexcept nogil:
    """Finds the standing of an entry's holder. False if the entry is outdated: then there is another one."""
    cdef Requirement r
    must(0 <= entry.position < l.position_count, LIQ_8, &l.log.fault)
    if not _holds(ranking, &l.positions[entry.position]):
        return False
    domain_requirement(l, rules, entry.position, &r)
    _stand(l, rules, entry.position, &r, s)
    must(s.winner.account == entry.account, LIQ_8, &l.log.fault)
    return s.winner.rank == entry.rank


cdef bint _from_heap(Ranking* ranking, Ledger* l, Rules* rules, Offer* offer, bint sound, Winner* found) noexcept nogil:
    """Takes the first one of the heap. True if it is the next one; otherwise it waits in the tree, if it is a holder."""
    cdef Standing s
    found[0] = _pop(ranking, l)
    if not _as_it_is(ranking, l, rules, found, &s):
        ranking.outdated += 1
        return False
    must(s.winner.position == found.position and s.lots > 0, LIQ_8, &l.log.fault)
    must(not _bears(&s, offer) or _reach(&s) >= offer.least, LIQ_8, &l.log.fault)
    if not sound or _bears(&s, offer):
        return True
    if not _enter(ranking, l, &s):
        l.log.fault = 2
    return False


cdef bint _from_tree(Ranking* ranking, Ledger* l, Rules* rules, Offer* offer, int32_t at, bint sound, Winner* found) noexcept nogil:
    """Takes a node out of the tree. True if it is the next one; one that reaches a price and does not bear it stays."""
    cdef Standing s
    found[0] = ranking.nodes[at].winner
    must(ranking.nodes[at].reach >= offer.least or not sound, LIQ_8, &l.log.fault)
    must(offer.after < 0 or not sound or _ahead(ranking.nodes, offer.after, at), LIQ_8, &l.log.fault)
    if not _as_it_is(ranking, l, rules, found, &s) or _reach(&s) != ranking.nodes[at].reach:
        ranking.outdated += 1
    elif sound and not _bears(&s, offer):
        offer.after = at
        return False
    else:
        ranking.root = _without(ranking.nodes, ranking.root, at)
        return True
    ranking.root = _without(ranking.nodes, ranking.root, at)
    return False


cdef bint ranking_next(Ranking* ranking, Ledger* l, Rules* rules, Offer* offer, bint sound, Winner* found) noexcept nogil:
    """Takes the next holder by rank, of all or only of those who bear an offer. False if there is none.

    It has no entry any more; its closing notes it, and the next reading enters what is left of it.
    """
    cdef int32_t at
    while l.log.fault == 0:
        at = _first(ranking.nodes, ranking.root, offer.after if sound else -1, offer.least if sound else INT64_MIN)
        if ranking.heap_count > 0 and (at < 0 or _before(&ranking.heap[0], &ranking.nodes[at].winner)):
            if _from_heap(ranking, l, rules, offer, sound, found):
                must(at < 0 or _before(found, &ranking.nodes[at].winner), LIQ_8, &l.log.fault)
                return True
        elif at < 0:
            return False
        elif _from_tree(ranking, l, rules, offer, at, sound, found):
            return True
    return False


# --- All at once -----------------------------------------------------------------------------------------

cdef int _by_rank(const void* left, const void* right) noexcept nogil:
    return -1 if _before(<Winner*>left, <Winner*>right) else 1


cdef int32_t ranked(Ledger* l, Rules* rules, uint32_t instrument, bint longs, Offer* offer, bint sound, Winner* found) noexcept nogil:
    """Names the holders of a side who bear an offer, or who do not, by rank. Returns how many."""
    cdef Instrument* ins = &l.instruments[instrument]
    cdef int32_t count = 0
    cdef int32_t i
    cdef Requirement r
    cdef Standing s
    cdef Position* p
    for i in range(ins.member_count):
        p = &l.positions[ins.members[i]]
        if p.size_lots == 0 or (p.size_lots > 0) != longs:
            continue
        domain_requirement(l, rules, ins.members[i], &r)
        _stand(l, rules, ins.members[i], &r, &s)
        if _bears(&s, offer) == sound:
            found[count] = s.winner
            count += 1
    qsort(found, count, sizeof(Winner), &_by_rank)
    must(0 <= count <= ins.member_count, LIQ_8, &l.log.fault)
    return count
