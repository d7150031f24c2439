/* yardstick: the least that a price-time book in C can do, as a measure for the one that does everything.

   A fixed window of price levels, first-in first-out lists threaded through 32-byte orders, a bitmap of four
   storeys that finds the next level, last-in first-out slots, a dense array from order number to slot. It reads the
   command records of docs/reference/records.md (ORDER as limit or IOC, AMEND, CANCEL by order id) and writes their TRADE
   records into a ring. It has no checks, no self-trade test, no other event, no money, and it trusts every id and
   every price. Its ids are the engine's: order number << 24 | slot. With -DSLOT_IN_ID it
   reads the slot off the id, as the engine does, instead of keeping that array: a cache miss less, a harder measure. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { ORDER = 16, AMEND = 17, CANCEL = 18, TRADE = 8, BUY = 0, GTC = 0 };
enum { SLOT_BITS = 24, SLOTS = 1 << SLOT_BITS, STOREYS = 4, NONE = -1 };
#define ORDERS_EVER ((size_t)1 << 27)

typedef struct {
    uint16_t type;
    uint8_t records, side;
    uint32_t account, instrument;
    uint8_t tif, flags;
    uint16_t mode;
    int64_t time_ns, price_ticks, size_lots;
    uint64_t client_id, order_id;
    int64_t amount;
} Command;

typedef struct {
    uint16_t type;
    uint8_t records, side;
    uint32_t account, instrument;
    uint16_t code, reason;
    uint64_t seq;
    int64_t a, b, c, d, e;
} Event;

typedef struct {
    uint64_t id;
    uint32_t left, size;
    int32_t prev, next;     /* neighbours in the queue; next is the next free slot when it is gone */
    uint32_t account;
    uint32_t tick_side;     /* tick << 1 | side */
} Order;

typedef struct {
    int32_t head, tail;
} Level;

typedef struct {
    Level *levels;          /* one a tick: a tick holds one side at a time */
    uint64_t *bits[STOREYS];
    Order *orders;
    int32_t *slot_of;       /* by order number */
    int64_t window;         /* ticks 0 .. window - 1 */
    int64_t bid, ask;       /* best ticks; -1 and window when there is none */
    int32_t free, used;
    uint64_t order_no;
    uint64_t trades;
} Yard;

_Static_assert(sizeof(Command) == 64 && sizeof(Event) == 64 && sizeof(Order) == 32, "layouts");

/* Memory that is only reserved until it is touched, on large pages where the machine has them. */
static void *reserve(size_t bytes) {
    const size_t large = (size_t)2 << 20;
    size_t whole = (bytes + 2 * large - 1) & ~(large - 1);
    char *at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        abort();
#ifdef MADV_HUGEPAGE
    madvise(at, whole, MADV_HUGEPAGE);
#endif
    return at;
}

static void release(void *at, size_t bytes) {
    const size_t large = (size_t)2 << 20;
    munmap(at, (bytes + 2 * large - 1) & ~(large - 1));
}

static size_t words(const Yard *b, int storey) {
    return (size_t)((b->window - 1) >> (6 * (storey + 1))) + 1;
}

/* A book of prices 0 .. window - 1 (at most 2**24), every level touched. */
Yard *yard_new(int64_t window) {
    Yard *b = calloc(1, sizeof(Yard));
    b->window = window;
    b->levels = reserve((size_t)window * sizeof(Level));
    memset(b->levels, 0xff, (size_t)window * sizeof(Level));
    for (int k = 0; k < STOREYS; k++) {
        b->bits[k] = reserve(words(b, k) * 8);
        memset(b->bits[k], 0, words(b, k) * 8);
    }
    b->orders = reserve((size_t)SLOTS * sizeof(Order));
    b->slot_of = reserve(ORDERS_EVER * sizeof(int32_t));
    b->bid = -1;
    b->ask = window;
    b->free = NONE;
    return b;
}

void yard_free(Yard *b) {
    release(b->levels, (size_t)b->window * sizeof(Level));
    for (int k = 0; k < STOREYS; k++)
        release(b->bits[k], words(b, k) * 8);
    release(b->orders, (size_t)SLOTS * sizeof(Order));
    release(b->slot_of, ORDERS_EVER * sizeof(int32_t));
    free(b);
}

static inline void mark(Yard *b, int64_t tick) {
    for (int k = 0; k < STOREYS; k++) {
        uint64_t *word = &b->bits[k][tick >> 6];
        uint64_t before = *word;
        *word = before | (uint64_t)1 << (tick & 63);
        if (before)
            return;
        tick >>= 6;
    }
}

static inline void unmark(Yard *b, int64_t tick) {
    for (int k = 0; k < STOREYS; k++) {
        uint64_t *word = &b->bits[k][tick >> 6];
        *word &= ~((uint64_t)1 << (tick & 63));
        if (*word)
            return;
        tick >>= 6;
    }
}

/* The lowest marked tick above `tick`, or the window's end. */
static int64_t above(const Yard *b, int64_t tick) {
    for (int k = 0; k < STOREYS; k++) {
        uint64_t rest = b->bits[k][tick >> 6] & (~(uint64_t)1 << (tick & 63));
        if (rest) {
            tick = (tick & ~(int64_t)63) | __builtin_ctzll(rest);
            while (k-- > 0)
                tick = tick << 6 | __builtin_ctzll(b->bits[k][tick]);
            return tick;
        }
        tick >>= 6;
    }
    return b->window;
}

/* The highest marked tick below `tick`, or -1. */
static int64_t below(const Yard *b, int64_t tick) {
    for (int k = 0; k < STOREYS; k++) {
        uint64_t rest = b->bits[k][tick >> 6] & (((uint64_t)1 << (tick & 63)) - 1);
        if (rest) {
            tick = (tick & ~(int64_t)63) | (63 - __builtin_clzll(rest));
            while (k-- > 0)
                tick = tick << 6 | (63 - __builtin_clzll(b->bits[k][tick]));
            return tick;
        }
        tick >>= 6;
    }
    return -1;
}

static inline void vacate(Yard *b, int64_t tick) {
    unmark(b, tick);
    if (tick == b->bid)
        b->bid = below(b, tick);
    else if (tick == b->ask)
        b->ask = above(b, tick);
}

static inline void give(Yard *b, int32_t slot) {
    b->orders[slot].next = b->free;
    b->free = slot;
}

static inline void unlink_order(Yard *b, const Order *o) {
    int64_t tick = o->tick_side >> 1;
    Level *level = &b->levels[tick];
    if (o->prev == NONE)
        level->head = o->next;
    else
        b->orders[o->prev].next = o->next;
    if (o->next == NONE)
        level->tail = o->prev;
    else
        b->orders[o->next].prev = o->prev;
    if (level->head == NONE)
        vacate(b, tick);
}

static inline void rest_order(Yard *b, int32_t slot, int side, int64_t tick) {
    Order *o = &b->orders[slot];
    Level *level = &b->levels[tick];
    o->tick_side = (uint32_t)(tick << 1 | side);
    o->prev = level->tail;
    o->next = NONE;
    if (level->tail == NONE) {
        level->head = slot;
        mark(b, tick);
        if (side == BUY) {
            if (tick > b->bid)
                b->bid = tick;
        } else if (tick < b->ask) {
            b->ask = tick;
        }
    } else {
        b->orders[level->tail].next = slot;
    }
    level->tail = slot;
}

typedef struct {
    Event *events;
    uint64_t mask;
} Ring;

/* Trades as far as the limit reaches; returns what is left. */
static inline uint32_t take(Yard *b, Ring ring, int side, int64_t limit, uint32_t left, uint64_t id, uint32_t account) {
    while (left && (side == BUY ? b->ask <= limit : b->bid >= limit)) {
        int64_t tick = side == BUY ? b->ask : b->bid;
        Level *level = &b->levels[tick];
        int32_t slot = level->head;
        Order *maker = &b->orders[slot];
        uint32_t lots = left < maker->left ? left : maker->left;
        Event *event = &ring.events[b->trades++ & ring.mask];
        *event = (Event){.type = TRADE, .records = 1, .side = (uint8_t)side, .account = account,
                         .a = (int64_t)maker->id, .b = (int64_t)id, .c = tick, .d = lots, .e = maker->account};
        left -= lots;
        if (lots < maker->left) {
            maker->left -= lots;
            break;
        }
        level->head = maker->next;
        if (maker->next == NONE) {
            level->tail = NONE;
            vacate(b, tick);
        } else {
            b->orders[maker->next].prev = NONE;
        }
        give(b, slot);
    }
    return left;
}

static inline void place(Yard *b, Ring ring, const Command *c) {
    int32_t slot = b->free;
    if (slot != NONE)
        b->free = b->orders[slot].next;
    else
        slot = b->used++;
    uint64_t no = ++b->order_no;
    uint64_t id = no << SLOT_BITS | (uint64_t)slot;
    uint32_t left = take(b, ring, c->side, c->price_ticks, (uint32_t)c->size_lots, id, c->account);
#ifndef SLOT_IN_ID
    b->slot_of[no] = slot;
#endif
    if (!left || c->tif != GTC) {
        give(b, slot);
        return;
    }
    Order *o = &b->orders[slot];
    o->id = id;
    o->left = left;
    o->size = (uint32_t)c->size_lots;
    o->account = c->account;
    rest_order(b, slot, c->side, c->price_ticks);
}

static inline int32_t slot_of(const Yard *b, uint64_t id) {
#ifdef SLOT_IN_ID
    (void)b;
    return (int32_t)(id & (SLOTS - 1));
#else
    return b->slot_of[id >> SLOT_BITS];
#endif
}

/* A smaller total size keeps its place; anything else leaves the queue and comes in again. */
static inline void amend(Yard *b, Ring ring, const Command *c) {
    int32_t slot = slot_of(b, c->order_id);
    Order *o = &b->orders[slot];
    int side = o->tick_side & 1;
    int64_t tick = c->price_ticks ? c->price_ticks : o->tick_side >> 1;
    uint32_t size = c->size_lots ? (uint32_t)c->size_lots : o->size;
    uint32_t left = o->left + size - o->size;
    if (tick != o->tick_side >> 1 || size > o->size) {
        unlink_order(b, o);
        left = take(b, ring, side, tick, left, o->id, o->account);
        if (!left) {
            give(b, slot);
            return;
        }
        rest_order(b, slot, side, tick);
    }
    o->left = left;
    o->size = size;
}

static inline void cancel(Yard *b, const Command *c) {
    int32_t slot = slot_of(b, c->order_id);
    unlink_order(b, &b->orders[slot]);
    give(b, slot);
}

static inline void apply(Yard *b, Ring ring, const Command *c) {
    if (c->type == ORDER)
        place(b, ring, c);
    else if (c->type == CANCEL)
        cancel(b, c);
    else if (c->type == AMEND)
        amend(b, ring, c);
}

/* Runs n commands; TRADE records go to a ring of `capacity` (a power of two), on from the last call. Returns how many. */
int64_t yard_run(Yard *b, const Command *c, int64_t n, Event *events, int64_t capacity) {
    Ring ring = {events, (uint64_t)capacity - 1};
    uint64_t before = b->trades;
    for (const Command *end = c + n; c < end; c++)
        apply(b, ring, c);
    return (int64_t)(b->trades - before);
}

static inline int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* yard_run with the nanoseconds of each command, one reading of the clock included. Without a book: the clock alone. */
void yard_stamp(Yard *b, const Command *c, int64_t n, Event *events, int64_t capacity, int64_t *ns) {
    Ring ring = {events, (uint64_t)capacity - 1};
    int64_t last = now();
    for (int64_t i = 0; i < n; i++) {
        if (b)
            apply(b, ring, &c[i]);
        int64_t at = now();
        ns[i] = at - last;
        last = at;
    }
}

/* A running checksum over maker, taker, price and size of the TRADEs among n records, whoever wrote them. */
uint64_t yard_checksum(uint64_t sum, const Event *events, int64_t n) {
    for (const Event *end = events + n; events < end; events++) {
        if (events->type != TRADE)
            continue;
        const int64_t parts[] = {events->a, events->b, events->c, events->d};
        for (int i = 0; i < 4; i++)
            sum = (sum ^ (uint64_t)parts[i]) * 0x9e3779b97f4a7c15u, sum ^= sum >> 29;
    }
    return sum;
}
