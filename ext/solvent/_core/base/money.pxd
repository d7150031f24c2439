# money: checked 64-bit arithmetic with 128-bit products.
#
# Owns: every division, every rounding and every overflow test of the core. No other file divides.
# Never: wraps. An operation that does not fit sets *fault, unless something was wrong before, and returns 0; the kernel halts
# at the end of the command. No operation faults inside the documented limits, which the edge validates.
# Cost: a guarded 64-bit path when the product fits, else one 128-bit division.

from libc.stdint cimport int32_t, int64_t

cdef extern from *:
    """
    #ifndef SOLVENT_MONEY
    #define SOLVENT_MONEY
    #include <stdint.h>
    typedef __int128 solvent_i128;
    /* rendered: limits */
    #define SOLVENT_RATE INT64_C(1000000000)
    #define SOLVENT_COLLATERAL_MAX INT64_C(18014398509481984)
    #define SOLVENT_MONEY_MAX INT64_C(4611686018427387903)
    /* rendered: end */

    static inline void solvent_fault(int32_t *fault) { if (*fault == 0) *fault = 1; }
    static inline int64_t solvent_add(int64_t a, int64_t b, int32_t *fault) {
        int64_t r; if (__builtin_add_overflow(a, b, &r)) { solvent_fault(fault); return 0; } return r; }
    static inline int64_t solvent_sub(int64_t a, int64_t b, int32_t *fault) {
        int64_t r; if (__builtin_sub_overflow(a, b, &r)) { solvent_fault(fault); return 0; } return r; }
    static inline int64_t solvent_mul(int64_t a, int64_t b, int32_t *fault) {
        int64_t r; if (__builtin_mul_overflow(a, b, &r)) { solvent_fault(fault); return 0; } return r; }
    static inline int64_t solvent_narrow(solvent_i128 v, int32_t *fault) {
        if (v != (solvent_i128)(int64_t)v) { solvent_fault(fault); return 0; } return (int64_t)v; }
    static inline int64_t solvent_saturate(solvent_i128 v) {
        if (v > (solvent_i128)INT64_MAX) return INT64_MAX;
        if (v < (solvent_i128)INT64_MIN) return INT64_MIN;
        return (int64_t)v; }

    static inline int64_t solvent_total(int64_t a, int64_t b, int64_t c) {
        int64_t r;
        if (!__builtin_add_overflow(a, b, &r) && !__builtin_add_overflow(r, c, &r)) return r;
        return solvent_saturate((solvent_i128)a + b + c); }

    /* Wide quotients; c > 0. Most numbers fit 64 bits, and their division is several times faster. */
    #define SOLVENT_SHORT(n, c) ((n) == (solvent_i128)(int64_t)(n) && (c) == (solvent_i128)(int64_t)(c))
    static inline solvent_i128 solvent_floor128(solvent_i128 n, solvent_i128 c) {
        if (SOLVENT_SHORT(n, c)) { int64_t a = (int64_t)n, b = (int64_t)c; return a / b - (a % b < 0); }
        solvent_i128 q = n / c; return q - (n % c < 0); }
    static inline solvent_i128 solvent_ceil128(solvent_i128 n, solvent_i128 c) {
        if (SOLVENT_SHORT(n, c)) { int64_t a = (int64_t)n, b = (int64_t)c; return a / b + (a % b > 0); }
        solvent_i128 q = n / c; return q + (n % c > 0); }

    /* n / d, d > 0, to the nearest integer, a half to the even one; for results that are known to fit. */
    static inline int64_t solvent_half_even(solvent_i128 n, solvent_i128 d) {
        solvent_i128 q = solvent_floor128(n, d), rest = n - q * d;
        return (int64_t)(q + (rest > d - rest || (rest == d - rest && (q & 1)))); }

    /* floor, ceil and truncation of a*b/c; c > 0. */
    static inline int64_t solvent_floor(int64_t a, int64_t b, int64_t c, int32_t *fault) {
        int64_t n;
        if (c <= 0) { solvent_fault(fault); return 0; }
        if (!__builtin_mul_overflow(a, b, &n)) { int64_t q = n / c; return q - (n % c < 0); }
        return solvent_narrow(solvent_floor128((solvent_i128)a * b, c), fault); }
    static inline int64_t solvent_ceil(int64_t a, int64_t b, int64_t c, int32_t *fault) {
        int64_t n;
        if (c <= 0) { solvent_fault(fault); return 0; }
        if (!__builtin_mul_overflow(a, b, &n)) { int64_t q = n / c; return q + (n % c > 0); }
        return solvent_narrow(solvent_ceil128((solvent_i128)a * b, c), fault); }
    static inline int64_t solvent_power10(int n) { int64_t p = 1; while (n-- > 0) p *= 10; return p; }
    static inline int64_t solvent_trunc(int64_t a, int64_t b, int64_t c, int32_t *fault) {
        int64_t n;
        if (c <= 0) { solvent_fault(fault); return 0; }
        if (!__builtin_mul_overflow(a, b, &n)) return n / c;
        return solvent_narrow((solvent_i128)a * b / c, fault); }
    #endif
    """
    ctypedef long long int128 "solvent_i128"
    int64_t RATE "SOLVENT_RATE"
    int64_t MONEY_MAX "SOLVENT_MONEY_MAX"
    int64_t COLLATERAL_MAX "SOLVENT_COLLATERAL_MAX"    # the largest collateral value of one balance
    int64_t INT64_MAX
    int64_t INT64_MIN
    int64_t add "solvent_add"(int64_t a, int64_t b, int32_t *fault) noexcept nogil
    int64_t sub "solvent_sub"(int64_t a, int64_t b, int32_t *fault) noexcept nogil
    int64_t mul "solvent_mul"(int64_t a, int64_t b, int32_t *fault) noexcept nogil
    int64_t narrow "solvent_narrow"(int128 v, int32_t *fault) noexcept nogil
    int64_t saturate "solvent_saturate"(int128 v) noexcept nogil
    int64_t total "solvent_total"(int64_t a, int64_t b, int64_t c) noexcept nogil      # of all three, saturated
    int128 floor128 "solvent_floor128"(int128 n, int128 c) noexcept nogil
    int128 ceil128 "solvent_ceil128"(int128 n, int128 c) noexcept nogil
    int64_t mul_div_floor "solvent_floor"(int64_t a, int64_t b, int64_t c, int32_t *fault) noexcept nogil
    int64_t mul_div_ceil "solvent_ceil"(int64_t a, int64_t b, int64_t c, int32_t *fault) noexcept nogil
    int64_t half_even "solvent_half_even"(int128 n, int128 d) noexcept nogil
    int64_t power10 "solvent_power10"(int n) noexcept nogil    # n from 0 to 18
    int64_t mul_div_trunc "solvent_trunc"(int64_t a, int64_t b, int64_t c, int32_t *fault) noexcept nogil


cdef inline int64_t min64(int64_t a, int64_t b) noexcept nogil:
    return a if a < b else b


cdef inline int64_t max64(int64_t a, int64_t b) noexcept nogil:
    return a if a > b else b


cdef inline int64_t clamp(int64_t value, int64_t low, int64_t high) noexcept nogil:
    return low if value < low else (high if value > high else value)


cdef inline int64_t magnitude(int64_t value) noexcept nogil:
    # The smallest integer never reaches here: sizes and money stay within 2**62.
    return -value if value < 0 else value
