/* The inner loops of the search, for where there is a compiler: what harness/payproof/scan/compiled.py says of each holds.
 *
 * Plain C with vectors of GCC and Clang, without Python's headers. Nothing here allocates, and no loop reads or writes
 * outside what its caller has given; the same results come from NumPy, to which tests/scan/test_compiled.py holds it.
 */
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the places of bits are those of little-endian words"
#endif

/* The checksum of the source that this is compiled from. */
int64_t payproof_source(void) {
    return SOURCE;
}

#define SEGMENTS 8
#define NEUTRAL 0x7F /* stands for bytes beyond the text */
#define WIDTH 64     /* bytes of a line: what is worked on is a multiple of it */

typedef struct {
    int64_t table;       /* the result for each of the eight values of 4 a + 2 b + c */
    int64_t vectors;     /* how many are worked on */
    int64_t a, b, c, to; /* where the operands and the result stand in the working memory */
} Step;

typedef struct {
    int64_t lead, advance, row; /* a part begins `lead` before what it is asked for, and a plane takes `row` bytes */
    int64_t steps, outputs;
    const Step *code;
    const int64_t *sources; /* where each output stands in the working memory */
    uint8_t *work;
    uint8_t *told;  /* for each output a stream of `stride` bytes */
    uint64_t *flags; /* for each output and part which of its lines hold a true bit; without any it is not in the stream */
    int64_t stride, parts;
} Program;

/* A function of two operands by its table, and of three as a choice between two of two; the compiler sees constants. */
#define TWO(t, a, b)                                                                                                  \
    ((t) == 0    ? (Vector){}                                                                                         \
     : (t) == 1  ? ~((a) | (b))                                                                                       \
     : (t) == 2  ? ~(a) & (b)                                                                                         \
     : (t) == 3  ? ~(a)                                                                                               \
     : (t) == 4  ? (a) & ~(b)                                                                                         \
     : (t) == 5  ? ~(b)                                                                                               \
     : (t) == 6  ? (a) ^ (b)                                                                                          \
     : (t) == 7  ? ~((a) & (b))                                                                                       \
     : (t) == 8  ? (a) & (b)                                                                                          \
     : (t) == 9  ? ~((a) ^ (b))                                                                                       \
     : (t) == 10 ? (b)                                                                                                \
     : (t) == 11 ? ~(a) | (b)                                                                                         \
     : (t) == 12 ? (a)                                                                                                \
     : (t) == 13 ? (a) | ~(b)                                                                                         \
     : (t) == 14 ? (a) | (b)                                                                                          \
                 : ~(Vector){})
#define HALF(t, c) ((((t) >> (c)) & 1) | (((t) >> (2 + (c))) & 1) << 1 | (((t) >> (4 + (c))) & 1) << 2 | (((t) >> (6 + (c))) & 1) << 3)
#define CHOICE(zero, one, a, b, c)                                                                                    \
    ((zero) == (one)        ? TWO(zero, a, b)                                                                         \
     : (zero) == 0          ? (c) & TWO(one, a, b)                                                                    \
     : (one) == 0           ? ~(c) & TWO(zero, a, b)                                                                  \
     : (zero) == 15         ? ~(c) | TWO(one, a, b)                                                                   \
     : (one) == 15          ? (c) | TWO(zero, a, b)                                                                   \
     : (zero) + (one) == 15 ? (c) ^ TWO(zero, a, b)                                                                   \
                            : (((c) & TWO(one, a, b)) | (~(c) & TWO(zero, a, b))))

#define CASE(t)                                                                                                       \
    case t:                                                                                                           \
        for (int64_t at = 0; at < bytes; at += sizeof(Vector)) {                                                               \
            Vector va = *(const Anywhere *)(a + at), vb = *(const Anywhere *)(b + at), vc = *(const Anywhere *)(c + at); \
            (void)va, (void)vb, (void)vc;                                                                             \
            *(Vector *)(to + at) = CHOICE(HALF(t, 0), HALF(t, 1), va, vb, vc);                                        \
        }                                                                                                             \
        break;
#define CASES4(t) CASE(t) CASE(t + 1) CASE(t + 2) CASE(t + 3)
#define CASES16(t) CASES4(t) CASES4(t + 4) CASES4(t + 8) CASES4(t + 12)
#define CASES64(t) CASES16(t) CASES16(t + 16) CASES16(t + 32) CASES16(t + 48)

#define SWAP(low, high, distance, mask)                                                                               \
    {                                                                                                                 \
        Vector moved = ((low >> distance) ^ high) & (mask - (Vector){0});         \
        high ^= moved;                                                                                                \
        low ^= moved << distance;                                                                                     \
    }

#ifndef ONLY
#define ONLY 0 /* every width of vectors, in bits; the fuzz compiles each by itself (tests/scan/fuzz_kernel.py) */
#endif
#if defined(__x86_64__) && defined(__GNUC__)
#if ONLY == 0 || ONLY == 512
#define RUN run_512
#define VECTOR Vector512
#define ANYWHERE Anywhere512
#define BYTES 64
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
#include "kernel_run.h"
#define CAN_512                                                                                                       \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && \
     __builtin_cpu_supports("avx512vl"))
#endif
#if ONLY == 0 || ONLY == 256
#define RUN run_256
#define VECTOR Vector256
#define ANYWHERE Anywhere256
#define BYTES 32
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#include "kernel_run.h"
#define CAN_256 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
#endif
#endif
#if ONLY == 0 || ONLY == 128
#define RUN run_128
#define VECTOR Vector128
#define ANYWHERE Anywhere128
#define BYTES 16
#define TARGET
#include "kernel_run.h"
#define CAN_128 1
#endif

/* How many bits the vectors have that are worked on here; 0 where this processor has none of those compiled. */
int64_t payproof_width(void) {
#ifdef CAN_512
    if (CAN_512)
        return 512;
#endif
#ifdef CAN_256
    if (CAN_256)
        return 256;
#endif
#ifdef CAN_128
    return 128;
#endif
    return 0;
}

/* Compute a program's outputs for a text, and how many bits of each are true in each segment. */
void payproof_run(const Program *program, const uint8_t *text, int64_t length, int64_t share, int64_t *counts) {
    switch (payproof_width()) {
#ifdef CAN_512
    case 512:
        run_512(program, text, length, share, counts);
        break;
#endif
#ifdef CAN_256
    case 256:
        run_256(program, text, length, share, counts);
        break;
#endif
#ifdef CAN_128
    case 128:
        run_128(program, text, length, share, counts);
        break;
#endif
    }
}

/* Write of which bytes of a text an output is true, ascending; `counts` says how many are in each segment. */
void payproof_places(const Program *program, int64_t output, int64_t share, const int64_t *counts, int64_t *places) {
    const uint8_t *stream = program->told + output * program->stride;
    const uint64_t *flags = program->flags + output * program->parts;
    int64_t *next[SEGMENTS];
    for (int segment = 0; segment < SEGMENTS; segment++) {
        next[segment] = places;
        places += counts[output * SEGMENTS + segment];
    }
    for (int64_t part = 0, x = 0; x < share; part++, x += program->advance) {
        for (uint64_t lines = flags[part]; lines; lines &= lines - 1) {
            const int64_t line = x + __builtin_ctzll(lines) * WIDTH;
            const int64_t end = line + WIDTH < share ? line + WIDTH : share;
            for (int64_t at = line; at < end && at < x + program->advance; at += 8) {
                uint64_t word;
                for (memcpy(&word, stream + at, 8); word; word &= word - 1) {
                    const int bit = __builtin_ctzll(word), segment = bit & 7;
                    *next[segment]++ = at + (bit >> 3) + segment * share;
                }
            }
        }
    }
}

#define SHORTEST 12
#define LONGEST 19
#define NEAR 12  /* bytes before a value in which an escape may begin */
#define REACH 64 /* bytes that a number in groups may take, and before a value that its name may */

enum { DIGIT = 1, LETTER = 2, GAP = 4, ESCAPE = 8, OPENING = 16, CLOSING = 32, NAME = 64, BREAK = 128, SIGN = 256 };

static int is(uint8_t byte, const uint16_t *kinds, int kind) {
    return kinds[byte] & kind;
}

/* What is known of card numbers: the brands for each six and three leading digits and each length, one bit each; those
   of them that do without a check digit. Of bytes: their kinds, and their values in base64, 255 for none. */
typedef struct {
    const uint32_t *starts, *coarse, *lengths;
    const uint16_t *kinds;
    const uint8_t *values;
    uint32_t unchecked;
} Known;

static uint32_t number(const uint8_t *at, int digits) {
    uint32_t value = 0;
    while (digits--)
        value = 10 * value + (*at++ & 15);
    return value;
}

static uint32_t twice(uint32_t digit) {
    return digit < 5 ? 2 * digit : 2 * digit - 9;
}

/* Write the numbers without separators that begin at some places, and return how many they are. */
int64_t payproof_numbers(const Known *known, const uint8_t *data, const int64_t *places, int64_t count, int64_t *starts,
                         int64_t *ends, uint32_t *brands, uint8_t *valid) {
    int64_t found = 0;
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *at = data + places[index];
        int length = SHORTEST;
        while (length <= LONGEST && (uint8_t)(at[length] - '0') < 10)
            length++;
        /* The table of three digits stays in the cache; that of six is looked at for the few that are left. */
        uint32_t some = known->coarse[number(at, 3)] & known->lengths[length], sum = 0;
        if (!some)
            continue;
        for (int digit = 0; digit < length; digit++)
            sum += (length - digit) & 1 ? at[digit] & 15 : twice(at[digit] & 15);
        const int right = sum % 10 == 0;
        if (!right && !(some & known->unchecked))
            continue;
        some &= known->starts[number(at, 6)];
        if (!some || (!right && !(some & known->unchecked)))
            continue;
        starts[found] = places[index];
        ends[found] = places[index] + length;
        brands[found] = some;
        valid[found++] = right;
    }
    return found;
}

/* Choose the places at which digits in groups could be a number, and return how many they are. */
int64_t payproof_groups(const Known *known, const uint8_t *data, const int64_t *places, int64_t count, int64_t *chosen) {
    int64_t found = 0;
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *at = data + places[index];
        uint32_t leading = 0, some = 0, sums[2] = {0, 0};
        int digits = 0;
        for (int place = 0; place < REACH && digits <= LONGEST; place++) {
            if (!is(at[place], known->kinds, place ? DIGIT | GAP : DIGIT))
                break;
            if (!is(at[place], known->kinds, DIGIT))
                continue;
            const uint32_t digit = at[place] & 15;
            sums[0] += digits & 1 ? digit : twice(digit);
            sums[1] += digits & 1 ? twice(digit) : digit;
            leading = digits < 6 ? 10 * leading + digit : leading;
            if (++digits == 6 && !(some = known->starts[leading]))
                break;
            if (digits < SHORTEST || digits > LONGEST || (place + 1 < REACH && is(at[place + 1], known->kinds, DIGIT)))
                continue;
            const uint32_t fitting = some & known->lengths[digits];
            if (fitting && (sums[digits & 1] % 10 == 0 || fitting & known->unchecked)) {
                chosen[found++] = places[index];
                break;
            }
        }
    }
    return found;
}

#define PARTS 5 /* of a number that is split over fields */
#define PART 13 /* digits of one */
#define BETWEEN 40

/* Choose the places from which on the digits of neighbouring fields could be a number, and return how many they are. No
   field is looked at from `limit` on. */
int64_t payproof_fields(const Known *known, const uint8_t *data, const int64_t *places, int64_t count, int64_t limit,
                        int64_t *chosen) {
    const uint16_t *kinds = known->kinds;
    const uint8_t *end = data + limit;
    int64_t found = 0;
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *at = data + places[index];
        uint32_t leading = 0, some = 0, sums[2] = {0, 0};
        int digits = 0;
        for (int part = 0; part < PARTS && at < end; part++) {
            const uint8_t *first = at;
            for (; at < end && at - first <= PART && is(*at, kinds, DIGIT); at++) {
                const uint32_t digit = *at & 15;
                sums[0] += digits & 1 ? digit : twice(digit);
                sums[1] += digits & 1 ? twice(digit) : digit;
                leading = digits < 6 ? 10 * leading + digit : leading;
                if (++digits == 6)
                    some = known->starts[leading];
            }
            if (at - first < 3 || at - first > PART || digits > LONGEST || (digits >= 6 && !some))
                break;
            if (part && digits >= SHORTEST && some & known->lengths[digits] && sums[digits & 1] % 10 == 0) {
                chosen[found++] = places[index];
                break;
            }
            /* Up to the next field, past digits that are the end of a name. */
            for (int passed = 0; passed <= BETWEEN && at < end; passed++) {
                if (!is(*at, kinds, DIGIT)) {
                    at++;
                    continue;
                }
                if (!is(at[-1], kinds, LETTER) && at[-1] != '_' && at[-1] != '-' && at[-1] != '[')
                    break;
                const int size = at + 1 < end && is(at[1], kinds, DIGIT) ? 2 : 1;
                if (at + size < end && is(at[size], kinds, DIGIT))
                    break;
                at += size;
            }
        }
    }
    return found;
}

/* Write which values have a letter or a digit beside them that is certainly no escape's. */
void payproof_joined(const Known *known, const uint8_t *data, const int64_t *starts, const int64_t *ends, int64_t count,
                     uint8_t *joined) {
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *start = data + starts[index];
        joined[index] = is(data[ends[index]], known->kinds, DIGIT | LETTER) != 0;
        if (joined[index] || !is(start[-1], known->kinds, DIGIT | LETTER))
            continue;
        int escapes = 0;
        for (int back = 1; back <= NEAR; back++)
            escapes |= is(start[-back], known->kinds, ESCAPE);
        joined[index] = !escapes;
    }
}

#define BESIDE 40 /* bytes within which a neighbour tells */

static int begins_beside(const uint8_t *at) {
    const uint8_t one = at[0] | 0x20, two = at[1] | 0x20, three = at[2] | 0x20;
    return (two == 'x' && three == 'p') || (one == 'c' && (two == 'v' || (two == 's' && three == 'c'))) ||
           (one == 'e' && two == 'c' && three == 'u');
}

/* Write beside which values there may be a card's other data. */
void payproof_beside(const Known *known, const uint8_t *data, const int64_t *starts, const int64_t *ends, int64_t count,
                     uint8_t *beside) {
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *start = data + starts[index], *end = data + ends[index];
        int found = is(*end, known->kinds, SIGN) &&
                    ((end[1] | 1) == '1' || (end[2] | 1) == '1' || (end[3] | 1) == '1');
        for (int place = 0; place < BESIDE - 2; place++)
            found |= begins_beside(start - BESIDE + place) | begins_beside(end + place);
        beside[index] = found;
    }
}

/* Write from where to where the name of each value stands, in the plain ways to write it: "name": value, name=value,
   name value. Else -1. */
void payproof_names(const Known *known, const uint8_t *data, const int64_t *starts, int64_t count, int64_t *from,
                    int64_t *to) {
    const uint16_t *kinds = known->kinds;
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *start = data + starts[index], *limit = start - REACH + 4, *at = start - 1, *end;
        int words = 3;
        from[index] = to[index] = -1;
        while (at > limit && is(*at, kinds, OPENING))
            at--;
        if (*at == '=') {
            at--;
            words = 1;
        } else if (*at == ':') {
            while (at > limit && (*at == ':' || *at == '='))
                at--;
        } else if (!is(*at, kinds, NAME) || *at == '-' || at[-2] == '%') {
            continue;
        } else {
            goto named; /* only said before it: name value */
        }
        while (at > limit && is(*at, kinds, CLOSING))
            at--;
    named:
        if (at <= limit || !is(*at, kinds, NAME) || (at[-2] == '%' && at[-1] == '2' && (*at == '2' || *at == '7')))
            continue;
        for (end = at + 1; words; words--) {
            while (at > limit && is(*at, kinds, NAME))
                at--;
            if (words == 1 || *at != ' ' || !is(at[-1], kinds, NAME))
                break;
            at--;
        }
        if (at <= limit)
            continue;
        from[index] = at + 1 - data;
        to[index] = end - data;
    }
}

#define BEFORE 3  /* characters before a place from which on some are decoded */
#define WINDOW 60 /* how many */
#define OCTETS (WINDOW / 4 * 3)

static int decoded(const Known *known, const uint8_t *at, int characters, uint8_t *octets) {
    int valid = 1;
    for (int place = 0; place < characters; place += 4, octets += 3) {
        uint8_t four[4];
        for (int index = 0; index < 4; index++) {
            four[index] = known->values[at[place + index]];
            valid &= four[index] < 64;
        }
        octets[0] = four[0] << 2 | four[1] >> 4;
        octets[1] = four[1] << 4 | four[2] >> 2;
        octets[2] = four[2] << 6 | four[3];
    }
    return valid;
}

static int is_text(const Known *known, const uint8_t *at) {
    uint8_t octets[12];
    int readable = decoded(known, at, 16, octets);
    for (int index = 0; index < 12; index++)
        readable &= (octets[index] >= 32 && octets[index] < 127) || octets[index] == 0 || octets[index] == 9 ||
                    octets[index] == 10 || octets[index] == 13;
    return readable;
}

static int is_digits(const Known *known, const uint8_t *at) {
    uint8_t octets[6];
    int run = 0, longest = 0;
    if (!decoded(known, at - 2, 8, octets))
        return 0;
    for (int index = 0; index < 6; index++) {
        run = (uint8_t)(octets[index] - '0') < 10 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest >= 4;
}

static int is_zlib(const Known *known, const uint8_t *at) {
    const uint8_t kind = at[1], level = at[2];
    const int begins = (kind == 'J' && level >= 'w' && level <= 'z') || (kind == 'A' && level >= 'E' && level <= 'H') ||
                       (kind == 'F' && level >= '4' && level <= '7') || (kind == 'N' && level >= 'o' && level <= 'r');
    return at[0] == 'e' && begins && known->values[at[-1]] > 63;
}

/* Whether four digits of another script, or four characters of UTF-16, are among some bytes. */
static int wide(const uint8_t *octets) {
    for (int index = 0; index < OCTETS; index++) {
        const uint8_t *at = octets + index;
        int stride, more = 1;
        if (*at == 0xD9 || *at == 0xDB || *at == 0xDF || *at == 0 || *at == 0xFF)
            stride = 2;
        else if (*at == 0xE0 || *at == 0xE1 || *at == 0xEA || *at == 0xEF)
            stride = 3;
        else if (*at == 0xF0)
            stride = 4;
        else
            continue;
        for (int unit = 1; more && unit < 4; unit++) {
            const uint8_t lead = index + unit * stride < OCTETS ? at[unit * stride] : 1;
            if (stride == 3)
                more = lead == 0xE0 || lead == 0xE1 || lead == 0xEA || lead == 0xEF;
            else if (stride == 2 && *at != 0 && *at != 0xFF)
                more = lead == 0xD9 || lead == 0xDB || lead == 0xDF;
            else
                more = lead == *at;
        }
        if (more)
            return 1;
    }
    return 0;
}

static int is_wide(const Known *known, const uint8_t *at) {
    uint8_t octets[OCTETS];
    int decimal = 1, breaks = 0;
    for (int index = 0; index < 13; index++) {
        if (known->values[at[index]] > 63 && !is(at[index], known->kinds, BREAK))
            return 0;
        decimal &= is(at[index], known->kinds, DIGIT) != 0;
    }
    if (decimal)
        return 0;
    for (int index = 0; index < WINDOW + 4; index++)
        breaks |= is(at[index - BEFORE], known->kinds, BREAK);
    if (breaks)
        return 1;
    for (int skipped = 0; skipped < 4; skipped++) {
        decoded(known, at - BEFORE + skipped, WINDOW, octets);
        if (wide(octets))
            return 1;
    }
    return 0;
}

/* Choose the places at which characters in base64 stand for what `kind` names, and return how many they are. */
int64_t payproof_base64(const Known *known, const uint8_t *data, const int64_t *places, int64_t count, int64_t kind,
                        int64_t *chosen) {
    int (*const test)(const Known *, const uint8_t *) = kind == 0   ? is_text
                                                        : kind == 1 ? is_digits
                                                        : kind == 2 ? is_wide
                                                                    : is_zlib;
    int64_t found = 0;
    for (int64_t index = 0; index < count; index++)
        if (test(known, data + places[index]))
            chosen[found++] = places[index];
    return found;
}
