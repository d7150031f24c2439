/* mix: seeded flows of command records, made against a yardstick book so that every id they name is alive.

   Integers only: the same bytes from a seed on every machine. Buyers' accounts are even, sellers' odd: no order ever
   meets one of its own. */

#include "yardstick.c"

enum { ACCOUNTS = 500, FIRST_ACCOUNT = 16, RING = 1 << 12 };

typedef struct {
    Yard *book;
    Event *ring;
    int32_t *live;          /* slots, in no order */
    int32_t *at;            /* by slot: where it is in live */
    uint64_t *ids;          /* by slot */
    uint32_t *left, *size;  /* by slot */
    int64_t count;
    uint64_t state;
} Mix;

/* Where adds go, in ticks: home is the middle of a fixed spread, 0 follows the touch. */
typedef struct {
    int64_t home;
    int64_t wide;           /* how far from home; an add that is not wide lies within `near` of the middle */
    int64_t near;
    int64_t reach;          /* how far beyond the best price an IOC may go */
    int64_t wide_percent;
    int64_t target;         /* live orders that the mix is held to */
} Shape;

static uint64_t draw(Mix *m, uint64_t below_this) {
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (z >> 32) * below_this >> 32;
}

static void forget(Mix *m, int32_t slot) {
    int32_t last = m->live[--m->count];
    m->live[m->at[slot]] = last;
    m->at[last] = m->at[slot];
}

static void record(Mix *m, const Command *c) {
    Yard *b = m->book;
    uint64_t from = b->trades;
    uint64_t no = b->order_no + 1;
    int64_t left = c->size_lots;
    yard_run(b, c, 1, m->ring, RING);
    for (; from < b->trades; from++) {
        const Event *e = &m->ring[from & (RING - 1)];
        int32_t slot = (int32_t)(e->a & (SLOTS - 1));
        m->left[slot] -= (uint32_t)e->d;
        left -= e->d;
        if (!m->left[slot])
            forget(m, slot);
    }
    if (c->type != ORDER || c->tif != GTC || !left)
        return;
    int32_t slot = b->slot_of[no];
    m->ids[slot] = no << SLOT_BITS | (uint64_t)slot;
    m->left[slot] = (uint32_t)left;
    m->size[slot] = (uint32_t)c->size_lots;
    m->at[slot] = (int32_t)m->count;
    m->live[m->count++] = slot;
}

/* A price on its proper side that does not cross. */
static int64_t price(Mix *m, const Shape *s, int side) {
    Yard *b = m->book;
    int64_t middle = s->home;
    int64_t away = 1;
    if ((int64_t)draw(m, 100) < s->wide_percent) {
        away += (int64_t)draw(m, (uint64_t)s->wide);
    } else {
        if (b->bid >= 0 && b->ask < b->window)
            middle = (b->bid + b->ask + (int64_t)draw(m, 2)) >> 1;
        away += (int64_t)(draw(m, (uint64_t)s->near) * draw(m, (uint64_t)s->near)) / s->near;
    }
    int64_t tick = side == BUY ? middle - away : middle - 1 + away;
    if (side == BUY)
        return tick < b->ask ? tick : b->ask - 1;
    return tick > b->bid ? tick : b->bid + 1;
}

static void add(Mix *m, const Shape *s, Command *c) {
    int side = (int)draw(m, 2);
    *c = (Command){.type = ORDER, .records = 1, .side = (uint8_t)side, .size_lots = 1 + (int64_t)draw(m, 5)};
    c->account = FIRST_ACCOUNT + 2 * (uint32_t)draw(m, ACCOUNTS) + (uint32_t)side;
    c->price_ticks = price(m, s, side);
}

static void add_ioc(Mix *m, const Shape *s, Command *c) {
    Yard *b = m->book;
    add(m, s, c);
    c->tif = 1;
    c->size_lots = 1 + (int64_t)draw(m, 8);
    if (c->side == BUY)
        c->price_ticks = b->ask + s->reach < b->window ? b->ask + s->reach : b->window - 1;
    else
        c->price_ticks = b->bid > s->reach ? b->bid - s->reach : 1;
}

static int32_t name(Mix *m, Command *c, uint16_t type) {
    int32_t slot = m->live[draw(m, (uint64_t)m->count)];
    *c = (Command){.type = type, .records = 1, .account = m->book->orders[slot].account, .order_id = m->ids[slot]};
    return slot;
}

static void change(Mix *m, const Shape *s, Command *c) {
    int32_t slot = name(m, c, AMEND);
    uint32_t tick_side = m->book->orders[slot].tick_side;
    if (m->left[slot] > 1 && draw(m, 10) < 9) {
        uint32_t cut = 1 + (uint32_t)draw(m, m->left[slot] - 1);
        m->left[slot] -= cut;
        m->size[slot] -= cut;
        c->size_lots = m->size[slot];
        return;
    }
    c->price_ticks = price(m, s, tick_side & 1);
    if (c->price_ticks == tick_side >> 1) {
        m->left[slot]++;
        m->size[slot]++;
        c->price_ticks = 0;
        c->size_lots = m->size[slot];
    }
}

Mix *mix_new(int64_t window, uint64_t seed) {
    Mix *m = calloc(1, sizeof(Mix));
    m->book = yard_new(window);
    m->ring = malloc(RING * sizeof(Event));
    m->live = reserve(SLOTS * sizeof(int32_t));
    m->at = reserve(SLOTS * sizeof(int32_t));
    m->ids = reserve(SLOTS * sizeof(uint64_t));
    m->left = reserve(SLOTS * sizeof(uint32_t));
    m->size = reserve(SLOTS * sizeof(uint32_t));
    m->state = seed;
    return m;
}

void mix_free(Mix *m) {
    yard_free(m->book);
    release(m->live, SLOTS * sizeof(int32_t));
    release(m->at, SLOTS * sizeof(int32_t));
    release(m->ids, SLOTS * sizeof(uint64_t));
    release(m->left, SLOTS * sizeof(uint32_t));
    release(m->size, SLOTS * sizeof(uint32_t));
    free(m->ring);
    free(m);
}

int64_t mix_live(const Mix *m) {
    return m->count;
}

/* n adds. */
void mix_fill(Mix *m, const Shape *s, Command *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        add(m, s, &out[i]);
        record(m, &out[i]);
    }
}

/* n messages: 50 % adds, 42 % cancels, 3 % amendments, 5 % IOC; adds and cancels swap to keep the book at its target. */
void mix_run(Mix *m, const Shape *s, Command *out, int64_t n) {
    int64_t slack = s->target / 50;
    for (int64_t i = 0; i < n; i++) {
        uint64_t kind = draw(m, 100);
        if (kind < 92 && m->count < s->target - slack)
            kind = 0;
        else if (kind < 92 && m->count > s->target + slack)
            kind = 50;
        if (kind < 50) {
            add(m, s, &out[i]);
        } else if (kind < 92) {
            forget(m, name(m, &out[i], CANCEL));
        } else if (kind < 95) {
            change(m, s, &out[i]);
        } else {
            add_ioc(m, s, &out[i]);
        }
        record(m, &out[i]);
    }
}
