
/*
 * Fuzz target of byte ranges.  The first byte of an input says what the rest
 * is: a Content-Range, read here a second time in another way; or operations
 * on a set, done here on the bits of an integer, too.
 */

#include "fuzz.h"

#include "../src/upload_ranges.h"


/* Positions that a set is about: a bit each. */
#define FUZZ_BITS  64


static void fuzz_content_range(const uint8_t *data, size_t size);
static int fuzz_reference(const uint8_t *data, size_t size,
    uint64_t number[3]);
static void fuzz_operations(const uint8_t *data, size_t size, int64_t base);
static void fuzz_compare(const upload_ranges_t *set, uint64_t bits,
    int64_t base);
static void fuzz_gap(const upload_ranges_t *set, uint64_t bits, int64_t base,
    unsigned from, unsigned to);
static void fuzz_text(const upload_ranges_t *set, int64_t total);
static uint64_t fuzz_bits(unsigned from, unsigned to);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }

    switch (data[0] % 4) {

    case 0:
        (void) upload_session_id_valid(data + 1, size - 1);
        fuzz_content_range(data + 1, size - 1);
        break;

    case 1:
        fuzz_operations(data + 1, size - 1, INT64_MAX - FUZZ_BITS);
        break;

    default:
        fuzz_operations(data + 1, size - 1, 0);
    }

    return 0;
}


static void
fuzz_content_range(const uint8_t *data, size_t size)
{
    int              rc;
    size_t           n;
    int64_t          total, total_again;
    uint64_t         number[3];
    unsigned char    text[UPLOAD_RANGE_TEXT];
    upload_range_t   range, again;
    upload_ranges_t  set;

    rc = upload_content_range_parse(data, size, &range, &total);

    fuzz_check(rc == fuzz_reference(data, size, number));

    if (rc != 0) {
        return;
    }

    fuzz_check(range.start == (int64_t) number[0]);
    fuzz_check(range.end == (int64_t) number[1] + 1);
    fuzz_check(total == (int64_t) number[2]);

    set.range = &range;
    set.count = 1;
    set.room = 1;

    n = upload_ranges_text(&set, total, text);
    fuzz_check(n <= UPLOAD_RANGE_TEXT);
    fuzz_check(upload_content_range_parse(text, n, &again, &total_again) == 0);
    fuzz_check(again.start == range.start && again.end == range.end);
    fuzz_check(total_again == total);
}


/* From the end: the numbers, then what may be in front. */

static int
fuzz_reference(const uint8_t *data, size_t size, uint64_t number[3])
{
    size_t              i, digits;
    uint64_t            unit, value;
    static const char   before[] = { '\0', '-', '/' };

    for (i = 3; i-- > 0; /* void */) {
        value = 0;
        unit = 1;

        for (digits = 0; size && data[size - 1] >= '0'
                         && data[size - 1] <= '9';
             digits++, size--)
        {
            if (data[size - 1] != '0'
                && (unit == 0
                    || __builtin_mul_overflow(unit, data[size - 1] - '0',
                                              &number[i])
                    || __builtin_add_overflow(value, number[i], &value)))
            {
                return -1;
            }

            /* 0: more than any unit that fits */
            unit = (unit > UINT64_MAX / 10) ? 0 : 10 * unit;
        }

        number[i] = value;

        if (digits == 0 || value > INT64_MAX) {
            return -1;
        }

        if (i && (size == 0 || data[--size] != before[i])) {
            return -1;
        }
    }

    if (number[0] > number[1] || number[1] >= number[2]) {
        return -1;
    }

    if (size == 0) {
        return 0;
    }

    return (size == 6
            && (data[0] | 0x20) == 'b' && (data[1] | 0x20) == 'y'
            && (data[2] | 0x20) == 't' && (data[3] | 0x20) == 'e'
            && (data[4] | 0x20) == 's'
            && (data[5] == ' ' || data[5] == '=')) ? 0 : -1;
}


/* Three bytes each: what, from where, to where. */

static void
fuzz_operations(const uint8_t *data, size_t size, int64_t base)
{
    unsigned         from, to;
    uint64_t         bits;
    upload_ranges_t  set;

    memset(&set, 0, sizeof(upload_ranges_t));
    bits = 0;

    for ( /* void */ ; size >= 3; data += 3, size -= 3) {
        from = data[1] % (FUZZ_BITS + 1);
        to = data[2] % (FUZZ_BITS + 1);

        switch (data[0] % 8) {

        case 0:
        case 1:
            fuzz_check(upload_ranges_remove(&set, base + from, base + to)
                       == 0);
            bits &= ~fuzz_bits(from, to);
            break;

        case 2:
            fuzz_gap(&set, bits, base, from, to);
            continue;

        case 3:
            /* one byte: what makes sets long */
            to = (from < FUZZ_BITS) ? from + 1 : from;

            /* fall through */

        default:
            fuzz_check(upload_ranges_add(&set, base + from, base + to) == 0);
            bits |= fuzz_bits(from, to);
        }

        fuzz_compare(&set, bits, base);
    }

    fuzz_text(&set, base + FUZZ_BITS);

    upload_ranges_free(&set);
}


static void
fuzz_compare(const upload_ranges_t *set, uint64_t bits, int64_t base)
{
    size_t    i;
    int64_t   least, prefix;
    uint64_t  found;

    found = 0;
    least = -1;

    fuzz_check(set->count <= set->room);

    for (i = 0; i < set->count; i++) {
        fuzz_check(set->range[i].start > least);
        fuzz_check(set->range[i].start >= base);
        fuzz_check(set->range[i].start < set->range[i].end);
        fuzz_check(set->range[i].end - base <= FUZZ_BITS);

        found |= fuzz_bits((unsigned) (set->range[i].start - base),
                           (unsigned) (set->range[i].end - base));
        least = set->range[i].end;
    }

    fuzz_check(found == bits);
    fuzz_check(upload_ranges_bytes(set) == __builtin_popcountll(bits));

    prefix = (base != 0) ? 0
                         : (~bits == 0) ? FUZZ_BITS : __builtin_ctzll(~bits);

    fuzz_check(upload_ranges_prefix(set) == prefix);
}


static void
fuzz_gap(const upload_ranges_t *set, uint64_t bits, int64_t base,
    unsigned from, unsigned to)
{
    int             rc;
    unsigned        end;
    upload_range_t  gap;

    rc = upload_ranges_gap(set, base + from, base + to, &gap);

    while (from < to && (bits & fuzz_bits(from, from + 1))) {
        from++;
    }

    fuzz_check(rc == (from < to));

    if (rc) {

        end = from;

        while (end < to && !(bits & fuzz_bits(end, end + 1))) {
            end++;
        }

        fuzz_check(gap.start == base + from && gap.end == base + end);
    }
}


/* Each part of the list, read alone, is a range of the set. */

static void
fuzz_text(const upload_ranges_t *set, int64_t total)
{
    size_t           i, n, length;
    int64_t          read;
    unsigned char   *text, *end;
    upload_range_t   range;

    text = malloc(set->count * UPLOAD_RANGE_TEXT + 1);
    fuzz_check(text != NULL);

    length = upload_ranges_text(set, total, text);
    fuzz_check(length <= set->count * UPLOAD_RANGE_TEXT);

    n = 0;

    for (i = 0; i < set->count; i++) {
        end = memchr(text + n, ',', length - n);
        fuzz_check((end == NULL) == (i + 1 == set->count));

        if (end == NULL) {
            end = text + length;
        }

        fuzz_check(upload_content_range_parse(text + n,
                                              (size_t) (end - text) - n,
                                              &range, &read)
                   == 0);
        fuzz_check(range.start == set->range[i].start);
        fuzz_check(range.end == set->range[i].end && read == total);

        n = (size_t) (end - text) + 1;
    }

    fuzz_check(set->count || length == 0);

    free(text);
}


static uint64_t
fuzz_bits(unsigned from, unsigned to)
{
    if (from >= to) {
        return 0;
    }

    return (to - from == FUZZ_BITS)
           ? UINT64_MAX : (((uint64_t) 1 << (to - from)) - 1) << from;
}
