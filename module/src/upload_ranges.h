
/*
 * Sets of byte ranges, and the headers that speak of them: Content-Range
 * (RFC 9110, section 14.4) of a request, and the list of what has arrived.
 * A set is sorted; its ranges neither overlap nor touch.
 */

#ifndef UPLOAD_RANGES_H
#define UPLOAD_RANGES_H


#include <stddef.h>
#include <stdint.h>


typedef struct {
    int64_t          start;
    int64_t          end;      /* one past the last byte */
} upload_range_t;


/* All zeros: an empty set. */

typedef struct {
    upload_range_t  *range;    /* malloc'ed */
    size_t           count;
    size_t           room;
} upload_ranges_t;


/* Digits, '-', '/' and ',' of one range of "a-b/total,". */
#define UPLOAD_RANGE_TEXT  (3 * 20 + 3)


/*
 * Takes "bytes a-b/total" apart (also "bytes=a-b/total" and "a-b/total", which
 * clients of the upload protocol send).  Returns 0, or -1 unless
 * 0 <= a <= b < total and all fit into 63 bits.
 */
int upload_content_range_parse(const unsigned char *value, size_t length,
    upload_range_t *range, int64_t *total);

/* Whether the text is a session id: 1 to 128 of [A-Za-z0-9_-]. */
int upload_session_id_valid(const unsigned char *value, size_t length);

/*
 * Adds [start, end), merging with neighbours; an empty one adds nothing.
 * Returns 0; -1 without memory, or when start is negative: nothing is changed.
 */
int upload_ranges_add(upload_ranges_t *set, int64_t start, int64_t end);

/* Takes [start, end) out; returns as upload_ranges_add(). */
int upload_ranges_remove(upload_ranges_t *set, int64_t start, int64_t end);

/*
 * Finds the first stretch at or after start, and before end, that is not in
 * the set.  Returns 1 and sets gap; 0 when all of it is there.
 */
int upload_ranges_gap(const upload_ranges_t *set, int64_t start, int64_t end,
    upload_range_t *gap);

/* End of the contiguous prefix: first byte, from 0, that is not in the set. */
int64_t upload_ranges_prefix(const upload_ranges_t *set);

/* Sum of the bytes in the set. */
int64_t upload_ranges_bytes(const upload_ranges_t *set);

/*
 * Writes "a-b/total,c-d/total" and returns its length, at most
 * count * UPLOAD_RANGE_TEXT; an empty set writes nothing.  A negative total is
 * unknown and written as "*".
 */
size_t upload_ranges_text(const upload_ranges_t *set, int64_t total,
    unsigned char *out);

void upload_ranges_free(upload_ranges_t *set);


#endif
