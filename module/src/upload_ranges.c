
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "upload_ranges.h"


#define UPLOAD_SESSION_MAX  128
#define UPLOAD_RANGES_ROOM  8


static int upload_ranges_digits(const unsigned char **pos,
    const unsigned char *end, int64_t *value);
static size_t upload_ranges_first_ending(const upload_ranges_t *set,
    int64_t position);
static size_t upload_ranges_first_starting(const upload_ranges_t *set,
    size_t from, int64_t position);
static int upload_ranges_insert(upload_ranges_t *set, size_t i, int64_t start,
    int64_t end);
static void upload_ranges_cut(upload_ranges_t *set, size_t from, size_t to);
static unsigned char *upload_ranges_number(unsigned char *out, int64_t value);


int
upload_content_range_parse(const unsigned char *value, size_t length,
    upload_range_t *range, int64_t *total)
{
    int64_t               first, last, size;
    const unsigned char  *pos, *end;

    pos = value;
    end = value + length;

    /* names of units have no case, RFC 9110, section 14.1 */

    if (length > 6 && strncasecmp((const char *) pos, "bytes", 5) == 0
        && (pos[5] == ' ' || pos[5] == '='))
    {
        pos += 6;
    }

    if (upload_ranges_digits(&pos, end, &first) != 0
        || pos == end || *pos++ != '-'
        || upload_ranges_digits(&pos, end, &last) != 0
        || pos == end || *pos++ != '/'
        || upload_ranges_digits(&pos, end, &size) != 0
        || pos != end)
    {
        return -1;
    }

    if (first > last || last >= size) {
        return -1;
    }

    range->start = first;
    range->end = last + 1;
    *total = size;

    return 0;
}


int
upload_session_id_valid(const unsigned char *value, size_t length)
{
    size_t         i;
    unsigned char  ch;

    if (length == 0 || length > UPLOAD_SESSION_MAX) {
        return 0;
    }

    for (i = 0; i < length; i++) {
        ch = value[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z')
              || (ch >= 'a' && ch <= 'z') || ch == '_' || ch == '-'))
        {
            return 0;
        }
    }

    return 1;
}


int
upload_ranges_add(upload_ranges_t *set, int64_t start, int64_t end)
{
    size_t           i, j;
    upload_range_t  *r;

    if (start < 0) {
        return -1;
    }

    if (start >= end) {
        return 0;
    }

    /* pieces mostly come in order: look at the end first */

    i = set->count;

    if (i && start <= set->range[i - 1].end) {
        i = (start >= set->range[i - 1].start)
            ? i - 1 : upload_ranges_first_ending(set, start);
    }

    /* those from i up to j overlap or touch */

    j = (end == INT64_MAX)
        ? set->count : upload_ranges_first_starting(set, i, end + 1);

    if (i == j) {
        return upload_ranges_insert(set, i, start, end);
    }

    r = &set->range[i];

    if (start < r->start) {
        r->start = start;
    }

    r->end = (end > set->range[j - 1].end) ? end : set->range[j - 1].end;

    upload_ranges_cut(set, i + 1, j);

    return 0;
}


int
upload_ranges_remove(upload_ranges_t *set, int64_t start, int64_t end)
{
    size_t           i, j;
    int64_t          rest;
    upload_range_t  *r;

    if (start < 0) {
        return -1;
    }

    if (start >= end) {
        return 0;
    }

    /* those from i up to j overlap */

    i = upload_ranges_first_ending(set, start + 1);
    j = upload_ranges_first_starting(set, i, end);

    if (i == j) {
        return 0;
    }

    r = set->range;

    if (i + 1 == j && r[i].start < start && end < r[i].end) {

        /* a hole in one of them makes two */

        rest = r[i].end;

        if (upload_ranges_insert(set, j, end, rest) != 0) {
            return -1;
        }

        set->range[i].end = start;

        return 0;
    }

    if (r[i].start < start) {
        r[i++].end = start;
    }

    if (i < j && end < r[j - 1].end) {
        r[--j].start = end;
    }

    upload_ranges_cut(set, i, j);

    return 0;
}


int
upload_ranges_gap(const upload_ranges_t *set, int64_t start, int64_t end,
    upload_range_t *gap)
{
    size_t  i;

    if (start >= end) {
        return 0;
    }

    i = upload_ranges_first_ending(set, start + 1);

    if (i < set->count && set->range[i].start <= start) {
        start = set->range[i++].end;

        if (start >= end) {
            return 0;
        }
    }

    gap->start = start;
    gap->end = end;

    if (i < set->count && set->range[i].start < end) {
        gap->end = set->range[i].start;
    }

    return 1;
}


int64_t
upload_ranges_prefix(const upload_ranges_t *set)
{
    return (set->count && set->range[0].start == 0) ? set->range[0].end : 0;
}


int64_t
upload_ranges_bytes(const upload_ranges_t *set)
{
    size_t   i;
    int64_t  sum;

    sum = 0;

    for (i = 0; i < set->count; i++) {
        sum += set->range[i].end - set->range[i].start;
    }

    return sum;
}


size_t
upload_ranges_text(const upload_ranges_t *set, int64_t total,
    unsigned char *out)
{
    size_t          i;
    unsigned char  *start;

    start = out;

    for (i = 0; i < set->count; i++) {

        if (i) {
            *out++ = ',';
        }

        out = upload_ranges_number(out, set->range[i].start);
        *out++ = '-';
        out = upload_ranges_number(out, set->range[i].end - 1);
        *out++ = '/';

        if (total < 0) {
            *out++ = '*';

        } else {
            out = upload_ranges_number(out, total);
        }
    }

    return (size_t) (out - start);
}


void
upload_ranges_free(upload_ranges_t *set)
{
    free(set->range);
    memset(set, 0, sizeof(upload_ranges_t));
}


static int
upload_ranges_digits(const unsigned char **pos, const unsigned char *end,
    int64_t *value)
{
    int      digit;
    int64_t  n;

    if (*pos == end || **pos < '0' || **pos > '9') {
        return -1;
    }

    n = 0;

    while (*pos < end && **pos >= '0' && **pos <= '9') {
        digit = *(*pos)++ - '0';

        if (n > (INT64_MAX - digit) / 10) {
            return -1;
        }

        n = n * 10 + digit;
    }

    *value = n;

    return 0;
}


/* Of the ranges that end at the position or behind it, the first. */

static size_t
upload_ranges_first_ending(const upload_ranges_t *set, int64_t position)
{
    size_t  low, high, middle;

    low = 0;
    high = set->count;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (set->range[middle].end < position) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


/* Of the ranges that start at the position or behind it, the first. */

static size_t
upload_ranges_first_starting(const upload_ranges_t *set, size_t from,
    int64_t position)
{
    size_t  low, high, middle;

    low = from;
    high = set->count;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (set->range[middle].start < position) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static int
upload_ranges_insert(upload_ranges_t *set, size_t i, int64_t start,
    int64_t end)
{
    size_t           room;
    upload_range_t  *range;

    if (set->count == set->room) {

        if (set->room > SIZE_MAX / sizeof(upload_range_t) / 2) {
            return -1;
        }

        room = set->room ? 2 * set->room : UPLOAD_RANGES_ROOM;

        range = realloc(set->range, room * sizeof(upload_range_t));
        if (range == NULL) {
            return -1;
        }

        set->range = range;
        set->room = room;
    }

    range = &set->range[i];

    memmove(range + 1, range, (set->count - i) * sizeof(upload_range_t));

    range->start = start;
    range->end = end;
    set->count++;

    return 0;
}


static void
upload_ranges_cut(upload_ranges_t *set, size_t from, size_t to)
{
    if (from == to) {
        return;
    }

    memmove(&set->range[from], &set->range[to],
            (set->count - to) * sizeof(upload_range_t));

    set->count -= to - from;
}


static unsigned char *
upload_ranges_number(unsigned char *out, int64_t value)
{
    size_t         n;
    unsigned char  digits[20];

    n = 0;

    do {
        digits[n++] = (unsigned char) ('0' + value % 10);
        value /= 10;
    } while (value);

    while (n) {
        *out++ = digits[--n];
    }

    return out;
}
