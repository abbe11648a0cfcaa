
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "upload_bytes.h"
#include "upload_state.h"


/* The format is in docs/internals/upload-state.md; integers little-endian. */

#define UPLOAD_STATE_MAGIC        "UPLSTATE"
#define UPLOAD_STATE_VERSION      1
#define UPLOAD_STATE_COMPLETE     1        /* a flag */
#define UPLOAD_STATE_COUNTED      2        /* another: "handed" is there */
#define UPLOAD_STATE_TOLD         4        /* another */

#define UPLOAD_STATE_USED         100      /* of a header; then zeros */
#define UPLOAD_STATE_CRC          (UPLOAD_STATE_HEADER - 4)

#define UPLOAD_STATE_BODY_PREFIX  24
#define UPLOAD_STATE_RANGE        16
#define UPLOAD_STATE_CLAIM        24

#define UPLOAD_STATE_CLAIMS_ROOM  8


/* What is found where a header may lie. */

typedef enum {
    UPLOAD_STATE_EMPTY,      /* zeros, or behind the end of the file */
    UPLOAD_STATE_TORN,
    UPLOAD_STATE_ALIEN,      /* whole, but nothing that we write */
    UPLOAD_STATE_WHOLE
} upload_state_slot_t;


typedef enum {
    UPLOAD_STATE_BODY_WHOLE,
    UPLOAD_STATE_BODY_TORN,
    UPLOAD_STATE_BODY_BROKEN,
    UPLOAD_STATE_NO_MEMORY
} upload_state_body_t;


/* The numbers of a body, before what they count. */

typedef struct {
    size_t    path;
    size_t    ranges;
    size_t    claims;
    size_t    digest;
} upload_state_counts_t;


static upload_state_slot_t upload_state_get_header(upload_state_t *s,
    const unsigned char *file, size_t length, unsigned slot, uint32_t *crc);
static int upload_state_get_numbers(upload_state_t *s, const unsigned char *p,
    uint32_t *crc);
static int upload_state_get_flags(upload_state_t *s, uint32_t flags,
    uint32_t handed);
static void upload_state_put_header(const upload_state_t *s,
    unsigned char *header, uint32_t crc);
static upload_state_body_t upload_state_get_body(upload_state_t *s,
    const unsigned char *file, size_t length, uint32_t crc);
static int upload_state_get_counts(upload_state_counts_t *n,
    const unsigned char *body, size_t length);
static void upload_state_put_body(const upload_state_t *s, unsigned char *body,
    const unsigned char *digest, size_t digest_length);
static int upload_state_valid(const upload_state_t *s);
static int upload_state_claims_valid(const upload_state_t *s);
static size_t upload_state_place(const upload_state_t *s, size_t length);
static size_t upload_state_first_ending(const upload_state_t *s,
    int64_t position);
static void upload_state_drop(upload_state_t *s, size_t i, size_t n);


void
upload_state_init(upload_state_t *s)
{
    memset(s, 0, sizeof(upload_state_t));

    s->total = -1;

    /* with nothing wanted it cannot fail */
    (void) upload_digest_start(&s->digest, 0);
}


void
upload_state_free(upload_state_t *s)
{
    upload_ranges_free(&s->received);
    free(s->claim);
    free(s->path);

    upload_state_init(s);
}


int
upload_state_set_path(upload_state_t *s, const unsigned char *path,
    size_t length)
{
    unsigned char  *copy;

    if (length >= UPLOAD_STATE_MAX_PATH || memchr(path, '\0', length)) {
        return -1;
    }

    copy = malloc(length + 1);
    if (copy == NULL) {
        return -1;
    }

    memcpy(copy, path, length);
    copy[length] = '\0';

    free(s->path);
    s->path = copy;
    s->path_length = length;

    return 0;
}


int
upload_state_read(upload_state_t *s, const unsigned char *file, size_t length)
{
    int                  first;
    unsigned             i, newest;
    uint32_t             crc[2];
    upload_state_t       version[2];
    upload_state_body_t  body;
    upload_state_slot_t  slot[2];

    upload_state_free(s);

    if (length > UPLOAD_STATE_MAX_FILE) {
        return -1;
    }

    for (i = 0; i < 2; i++) {
        upload_state_init(&version[i]);
        slot[i] = upload_state_get_header(&version[i], file, length, i,
                                          &crc[i]);
        if (slot[i] == UPLOAD_STATE_ALIEN) {
            return -1;
        }
    }

    /*
     * The first version goes to the second header: until there is another,
     * nothing was there that could have been lost.
     */

    first = (slot[0] == UPLOAD_STATE_EMPTY
             && (slot[1] != UPLOAD_STATE_WHOLE || version[1].sequence == 1));

    newest = (version[1].sequence > version[0].sequence);

    for (i = 0; i < 2; i++, newest ^= 1) {

        if (slot[newest] != UPLOAD_STATE_WHOLE) {
            continue;
        }

        body = upload_state_get_body(&version[newest], file, length,
                                     crc[newest]);

        if (body == UPLOAD_STATE_BODY_WHOLE) {
            *s = version[newest];
            return 0;
        }

        upload_state_free(&version[newest]);

        if (body != UPLOAD_STATE_BODY_TORN) {
            return body == UPLOAD_STATE_NO_MEMORY ? -2 : -1;
        }
    }

    return first ? 1 : -1;
}


unsigned char *
upload_state_write(upload_state_t *s, unsigned char *header,
    size_t *header_offset, size_t *body_offset, size_t *body_length)
{
    size_t          place, length, digest_length;
    uint32_t        crc;
    unsigned char  *body, digest[UPLOAD_DIGEST_MAX_STATE];

    if (s->sequence >= UINT64_MAX - 1 || !upload_state_valid(s)) {
        return NULL;
    }

    digest_length = upload_digest_save(&s->digest, digest);

    if (s->received.count > UPLOAD_STATE_MAX_FILE / UPLOAD_STATE_RANGE) {
        return NULL;
    }

    length = UPLOAD_STATE_BODY_PREFIX + s->path_length
             + s->received.count * UPLOAD_STATE_RANGE
             + s->claims * UPLOAD_STATE_CLAIM + digest_length;

    place = upload_state_place(s, length);

    if (length > UPLOAD_STATE_MAX_FILE - place) {
        return NULL;
    }

    body = malloc(length);
    if (body == NULL) {
        return NULL;
    }

    upload_state_put_body(s, body, digest, digest_length);

    crc = (uint32_t) crc32_z(0, body, length);

    s->sequence++;
    s->body_offset = place;
    s->body_length = length;

    upload_state_put_header(s, header, crc);

    *header_offset = (s->sequence & 1) ? UPLOAD_STATE_HEADER : 0;
    *body_offset = place;
    *body_length = length;

    return body;
}


uint64_t
upload_state_claim(upload_state_t *s, int64_t start, int64_t end)
{
    size_t           i, j, room, oldest;
    upload_claim_t  *claim;

    if (start < 0 || start > end || s->tokens >= UINT64_MAX - 1) {
        return 0;
    }

    if (s->claims == s->claims_room) {
        room = s->claims_room ? 2 * s->claims_room : UPLOAD_STATE_CLAIMS_ROOM;

        claim = realloc(s->claim, room * sizeof(upload_claim_t));
        if (claim == NULL) {
            return 0;
        }

        s->claim = claim;
        s->claims_room = room;
    }

    /* those from i up to j overlap */

    i = upload_state_first_ending(s, start);

    for (j = i; j < s->claims && s->claim[j].range.start < end; j++) {
        /* void */
    }

    s->fences += j - i;
    upload_state_drop(s, i, j - i);

    if (s->claims == UPLOAD_STATE_MAX_CLAIMS) {
        oldest = 0;

        for (j = 1; j < s->claims; j++) {
            if (s->claim[j].token < s->claim[oldest].token) {
                oldest = j;
            }
        }

        s->fences++;
        upload_state_drop(s, oldest, 1);

        i -= (oldest < i);
    }

    claim = &s->claim[i];

    memmove(claim + 1, claim, (s->claims - i) * sizeof(upload_claim_t));

    claim->token = ++s->tokens;
    claim->range.start = start;
    claim->range.end = end;
    s->claims++;

    return claim->token;
}


upload_claim_t *
upload_state_claimed(upload_state_t *s, uint64_t token)
{
    size_t  i;

    for (i = 0; i < s->claims; i++) {
        if (s->claim[i].token == token) {
            return &s->claim[i];
        }
    }

    return NULL;
}


void
upload_state_release(upload_state_t *s, uint64_t token)
{
    upload_claim_t  *claim;

    claim = upload_state_claimed(s, token);

    if (claim) {
        upload_state_drop(s, (size_t) (claim - s->claim), 1);
    }
}


int
upload_state_fences(const unsigned char *headers, size_t length,
    uint64_t *fences)
{
    int             found;
    unsigned        i;
    uint32_t        crc;
    uint64_t        sequence;
    upload_state_t  s;

    found = 0;
    sequence = 0;

    for (i = 0; i < 2; i++) {

        if (upload_state_get_header(&s, headers, length, i, &crc)
            != UPLOAD_STATE_WHOLE)
        {
            continue;
        }

        if (!found || s.sequence > sequence) {
            found = 1;
            sequence = s.sequence;
            *fences = s.fences;
        }
    }

    return found ? 0 : -1;
}


static upload_state_slot_t
upload_state_get_header(upload_state_t *s, const unsigned char *file,
    size_t length, unsigned slot, uint32_t *crc)
{
    size_t                       start, room;
    const unsigned char         *p;
    static const unsigned char   zeros[UPLOAD_STATE_HEADER];

    start = slot * UPLOAD_STATE_HEADER;

    if (length <= start) {
        return UPLOAD_STATE_EMPTY;
    }

    p = file + start;
    room = length - start;

    if (room > UPLOAD_STATE_HEADER) {
        room = UPLOAD_STATE_HEADER;
    }

    if (memcmp(p, zeros, room) == 0) {
        return UPLOAD_STATE_EMPTY;
    }

    if (room < UPLOAD_STATE_HEADER
        || upload_get32(p + UPLOAD_STATE_CRC)
           != crc32_z(0, p, UPLOAD_STATE_CRC))
    {
        return UPLOAD_STATE_TORN;
    }

    if (memcmp(p, UPLOAD_STATE_MAGIC, 8) != 0
        || memcmp(p + UPLOAD_STATE_USED, zeros,
                  UPLOAD_STATE_CRC - UPLOAD_STATE_USED)
           != 0
        || upload_get32(p + 8) != UPLOAD_STATE_VERSION
        || upload_state_get_numbers(s, p, crc) != 0
        || (s->sequence & 1) != slot)
    {
        return UPLOAD_STATE_ALIEN;
    }

    return UPLOAD_STATE_WHOLE;
}


/* Checks what need not agree with a body. */

static int
upload_state_get_numbers(upload_state_t *s, const unsigned char *p,
    uint32_t *crc)
{
    uint64_t  offset, size;

    offset = upload_get64(p + 72);
    size = upload_get64(p + 80);

    s->sequence = upload_get64(p + 16);
    s->tokens = upload_get64(p + 24);
    s->fences = upload_get64(p + 32);
    s->total = (int64_t) upload_get64(p + 40);
    s->hashed = (int64_t) upload_get64(p + 48);
    s->last.start = (int64_t) upload_get64(p + 56);
    s->last.end = (int64_t) upload_get64(p + 64);
    s->body_offset = (size_t) offset;
    s->body_length = (size_t) size;
    *crc = upload_get32(p + 88);
    s->last_crc = upload_get32(p + 92);

    if (upload_state_get_flags(s, upload_get32(p + 12), upload_get32(p + 96))
        != 0
        || s->sequence == 0 || s->sequence == UINT64_MAX
        || offset < UPLOAD_STATE_BODIES || offset > UPLOAD_STATE_MAX_FILE
        || size < UPLOAD_STATE_BODY_PREFIX
        || size > UPLOAD_STATE_MAX_FILE - offset)
    {
        return -1;
    }

    return 0;
}


/* Of a whole file, a state that does not count may have been handed on. */

static int
upload_state_get_flags(upload_state_t *s, uint32_t flags, uint32_t handed)
{
    s->complete = (flags & UPLOAD_STATE_COMPLETE);
    s->told = (flags & UPLOAD_STATE_TOLD) != 0;
    s->handed = handed;

    switch (flags) {

    case 0:
        return handed ? -1 : 0;

    case UPLOAD_STATE_COMPLETE:
        s->handed = 1;
        return handed ? -1 : 0;

    case UPLOAD_STATE_COMPLETE|UPLOAD_STATE_COUNTED:
    case UPLOAD_STATE_COMPLETE|UPLOAD_STATE_COUNTED|UPLOAD_STATE_TOLD:
        return 0;

    default:
        return -1;
    }
}


static void
upload_state_put_header(const upload_state_t *s, unsigned char *header,
    uint32_t crc)
{
    uint32_t        flags;
    unsigned char  *p;

    flags = s->complete ? UPLOAD_STATE_COMPLETE|UPLOAD_STATE_COUNTED : 0;
    flags |= s->told ? UPLOAD_STATE_TOLD : 0;

    memset(header, 0, UPLOAD_STATE_HEADER);
    memcpy(header, UPLOAD_STATE_MAGIC, 8);

    p = upload_put32(header + 8, UPLOAD_STATE_VERSION);
    p = upload_put32(p, flags);
    p = upload_put64(p, s->sequence);
    p = upload_put64(p, s->tokens);
    p = upload_put64(p, s->fences);
    p = upload_put64(p, (uint64_t) s->total);
    p = upload_put64(p, (uint64_t) s->hashed);
    p = upload_put64(p, (uint64_t) s->last.start);
    p = upload_put64(p, (uint64_t) s->last.end);
    p = upload_put64(p, s->body_offset);
    p = upload_put64(p, s->body_length);
    p = upload_put32(p, crc);
    p = upload_put32(p, s->last_crc);
    (void) upload_put32(p, s->handed);

    (void) upload_put32(header + UPLOAD_STATE_CRC,
                        (uint32_t) crc32_z(0, header, UPLOAD_STATE_CRC));
}


static upload_state_body_t
upload_state_get_body(upload_state_t *s, const unsigned char *file,
    size_t length, uint32_t crc)
{
    size_t                  i;
    const unsigned char    *p;
    upload_state_counts_t   n;

    if (s->body_offset > length || s->body_length > length - s->body_offset) {
        return UPLOAD_STATE_BODY_TORN;
    }

    p = file + s->body_offset;

    if (crc32_z(0, p, s->body_length) != crc) {
        return UPLOAD_STATE_BODY_TORN;
    }

    if (upload_state_get_counts(&n, p, s->body_length) != 0) {
        return UPLOAD_STATE_BODY_BROKEN;
    }

    p += UPLOAD_STATE_BODY_PREFIX;

    s->received.range = malloc((n.ranges + 1) * sizeof(upload_range_t));
    s->claim = malloc((n.claims + 1) * sizeof(upload_claim_t));

    if (s->received.range == NULL || s->claim == NULL) {
        return UPLOAD_STATE_NO_MEMORY;
    }

    if (n.path) {
        s->path = malloc(n.path + 1);
        if (s->path == NULL) {
            return UPLOAD_STATE_NO_MEMORY;
        }

        memcpy(s->path, p, n.path);
        s->path[n.path] = '\0';
        s->path_length = n.path;
        p += n.path;
    }

    s->received.count = n.ranges;
    s->received.room = n.ranges + 1;

    for (i = 0; i < n.ranges; i++, p += UPLOAD_STATE_RANGE) {
        s->received.range[i].start = (int64_t) upload_get64(p);
        s->received.range[i].end = (int64_t) upload_get64(p + 8);
    }

    s->claims = n.claims;
    s->claims_room = n.claims + 1;

    for (i = 0; i < n.claims; i++, p += UPLOAD_STATE_CLAIM) {
        s->claim[i].token = upload_get64(p);
        s->claim[i].range.start = (int64_t) upload_get64(p + 8);
        s->claim[i].range.end = (int64_t) upload_get64(p + 16);
    }

    if (upload_digest_restore(&s->digest, p, n.digest) != 0
        || !upload_state_valid(s))
    {
        return UPLOAD_STATE_BODY_BROKEN;
    }

    return UPLOAD_STATE_BODY_WHOLE;
}


/* Bounds each number before it is multiplied; together they fill the body. */

static int
upload_state_get_counts(upload_state_counts_t *n, const unsigned char *body,
    size_t length)
{
    uint64_t  path, ranges, claims, digest, zero;

    path = upload_get32(body);
    claims = upload_get32(body + 4);
    ranges = upload_get64(body + 8);
    digest = upload_get32(body + 16);
    zero = upload_get32(body + 20);

    if (path >= UPLOAD_STATE_MAX_PATH || claims > UPLOAD_STATE_MAX_CLAIMS
        || ranges > UPLOAD_STATE_MAX_FILE / UPLOAD_STATE_RANGE
        || digest > UPLOAD_DIGEST_MAX_STATE || zero != 0
        || UPLOAD_STATE_BODY_PREFIX + path + ranges * UPLOAD_STATE_RANGE
           + claims * UPLOAD_STATE_CLAIM + digest != length)
    {
        return -1;
    }

    n->path = (size_t) path;
    n->ranges = (size_t) ranges;
    n->claims = (size_t) claims;
    n->digest = (size_t) digest;

    return 0;
}


static void
upload_state_put_body(const upload_state_t *s, unsigned char *body,
    const unsigned char *digest, size_t digest_length)
{
    size_t          i;
    unsigned char  *p;

    p = upload_put32(body, (uint32_t) s->path_length);
    p = upload_put32(p, (uint32_t) s->claims);
    p = upload_put64(p, s->received.count);
    p = upload_put32(p, (uint32_t) digest_length);
    p = upload_put32(p, 0);

    if (s->path_length) {
        memcpy(p, s->path, s->path_length);
        p += s->path_length;
    }

    for (i = 0; i < s->received.count; i++) {
        p = upload_put64(p, (uint64_t) s->received.range[i].start);
        p = upload_put64(p, (uint64_t) s->received.range[i].end);
    }

    for (i = 0; i < s->claims; i++) {
        p = upload_put64(p, s->claim[i].token);
        p = upload_put64(p, (uint64_t) s->claim[i].range.start);
        p = upload_put64(p, (uint64_t) s->claim[i].range.end);
    }

    memcpy(p, digest, digest_length);
}


/* Whether the parts agree; what does not is neither read nor written. */

static int
upload_state_valid(const upload_state_t *s)
{
    size_t                 i;
    int64_t                least, prefix;
    const upload_range_t  *r;

    if (s->total < -1
        || s->last.start < 0 || s->last.start > s->last.end
        || (s->total >= 0 && s->last.end > s->total)
        || (s->path_length && memchr(s->path, '\0', s->path_length)))
    {
        return 0;
    }

    least = -1;
    r = s->received.range;

    for (i = 0; i < s->received.count; i++) {

        if (r[i].start <= least || r[i].start >= r[i].end) {
            return 0;
        }

        least = r[i].end;
    }

    if (s->total >= 0 && least > s->total) {
        return 0;
    }

    prefix = upload_ranges_prefix(&s->received);

    if (s->hashed < 0 || s->hashed > prefix
        || (s->digest.wanted && s->digest.length != (uint64_t) s->hashed)
        || (s->complete && prefix != s->total)
        || ((s->handed || s->told) && !s->complete))
    {
        return 0;
    }

    return upload_state_claims_valid(s);
}


/* They are sorted as the ranges are, but may touch, or be empty. */

static int
upload_state_claims_valid(const upload_state_t *s)
{
    size_t                 i;
    int64_t                least;
    const upload_claim_t  *c;

    if (s->claims > UPLOAD_STATE_MAX_CLAIMS) {
        return 0;
    }

    least = 0;

    for (i = 0; i < s->claims; i++) {
        c = &s->claim[i];

        if (c->token == 0 || c->token > s->tokens
            || c->range.start < least || c->range.start > c->range.end)
        {
            return 0;
        }

        least = c->range.end;
    }

    return 1;
}


/*
 * In front of the body that is there when it fits, else right behind it: so
 * the file stays within a few times the longest body.
 */

static size_t
upload_state_place(const upload_state_t *s, size_t length)
{
    if (s->sequence == 0 || length <= s->body_offset - UPLOAD_STATE_BODIES) {
        return UPLOAD_STATE_BODIES;
    }

    return s->body_offset + s->body_length;
}


/* Of the claims that end behind the position, the first. */

static size_t
upload_state_first_ending(const upload_state_t *s, int64_t position)
{
    size_t  low, high, middle;

    low = 0;
    high = s->claims;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (s->claim[middle].range.end <= position) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static void
upload_state_drop(upload_state_t *s, size_t i, size_t n)
{
    if (n == 0) {
        return;
    }

    memmove(&s->claim[i], &s->claim[i + n],
            (s->claims - i - n) * sizeof(upload_claim_t));

    s->claims -= n;
}
