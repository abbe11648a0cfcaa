
/*
 * Fuzz target of state files.  The first byte of an input says what the rest
 * is: a file, with checksums that are right so that what they cover is read;
 * or the life of a state, written after every step, whose writes are cut where
 * the input says.
 */

#include <zlib.h>

#include "fuzz.h"

#include "../src/upload_state.h"


#define FUZZ_FILE     16384

/* Of a header, what the input says: from the flags up to the body's offset. */
#define FUZZ_FIELDS   12
#define FUZZ_NUMBERS  60
#define FUZZ_OFFSET   72
#define FUZZ_SEQUENCE 16
#define FUZZ_HANDED   96
#define FUZZ_CRC      (UPLOAD_STATE_HEADER - 4)

/* Bits of the first byte of a file's input. */
#define FUZZ_FIRST       2
#define FUZZ_SECOND      4
#define FUZZ_OTHER_SLOT  8
#define FUZZ_BROKEN      16
#define FUZZ_FLIPPED     32
#define FUZZ_HANDED_ON   64

#define FUZZ_STEP     4

/* Bits of how a write is cut. */
#define FUZZ_CUT_BODY    1
#define FUZZ_CUT_HEADER  2
#define FUZZ_GARBAGE     4
#define FUZZ_LOST_BODY   8    /* and not the header, which came later */
#define FUZZ_CUT         (FUZZ_CUT_BODY | FUZZ_CUT_HEADER | FUZZ_LOST_BODY)

/* Versions that a state lives through: more are slow and say no more. */
#define FUZZ_VERSIONS 4


typedef struct {
    unsigned char  bytes[FUZZ_FILE];
    size_t         length;
} fuzz_file_t;


typedef struct {
    unsigned char  what;
    unsigned char  from;
    unsigned char  to;
    unsigned char  cut;
} fuzz_step_t;


static void fuzz_read(const uint8_t *data, size_t size);
static void fuzz_header(fuzz_file_t *file, unsigned slot,
    const uint8_t *numbers, unsigned flags);
static void fuzz_put32(unsigned char *out, unsigned long value);
static void fuzz_life(const uint8_t *data, size_t size);
static void fuzz_step(upload_state_t *s, const fuzz_step_t *step);
static void fuzz_received(upload_state_t *s, int64_t from, int64_t to);
static void fuzz_write(fuzz_file_t *file, upload_state_t *s,
    const fuzz_step_t *step);
static void fuzz_torn(const fuzz_file_t *file, size_t offset,
    const unsigned char *data, size_t length, const fuzz_step_t *step,
    const upload_state_t *before, const upload_state_t *after);
static int fuzz_load(const fuzz_file_t *file, upload_state_t *s);
static void fuzz_put(fuzz_file_t *file, size_t offset,
    const unsigned char *data, size_t length);
static int fuzz_same(const upload_state_t *a, const upload_state_t *b);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }

    if (data[0] & 1) {
        fuzz_life(data + 1, size - 1);

    } else {
        fuzz_read(data, size);
    }

    return 0;
}


/*
 * A file whose headers have the first bytes of the input for their numbers,
 * and whose one body is the rest of it.  The bits of the very first byte say
 * which headers there are, and what is wrong with them.
 */

static void
fuzz_read(const uint8_t *data, size_t size)
{
    int                 rc;
    size_t              body;
    unsigned            flags;
    uint64_t            fences;
    upload_state_t      s;
    static fuzz_file_t  file;

    flags = data[0];

    if (size < 1 + FUZZ_NUMBERS
        || size > FUZZ_FILE - UPLOAD_STATE_BODIES)
    {
        return;
    }

    body = size - 1 - FUZZ_NUMBERS;

    memset(file.bytes, 0, UPLOAD_STATE_BODIES);
    memcpy(file.bytes + UPLOAD_STATE_BODIES, data + 1 + FUZZ_NUMBERS, body);
    file.length = UPLOAD_STATE_BODIES + body;

    if (flags & FUZZ_FIRST) {
        fuzz_header(&file, 0, data + 1, flags);
    }

    if (flags & FUZZ_SECOND) {
        fuzz_header(&file, 1, data + 1, flags & ~FUZZ_BROKEN);
    }

    if (flags & FUZZ_FLIPPED) {
        file.bytes[(data[1] * 256U + data[2]) % file.length] ^= 1;
    }

    upload_state_init(&s);

    rc = fuzz_load(&file, &s);

    if (rc == 0) {
        fuzz_check(upload_state_fences(file.bytes, file.length, &fences) == 0);
        fuzz_check(upload_digest_update(&s.digest, data, size) == 0);
        fuzz_check(upload_state_claim(&s, 5, 50) == s.tokens
                   || s.tokens >= UINT64_MAX - 1);
        fuzz_check(upload_ranges_add(&s.received, 7, 70) == 0);

    } else {
        fuzz_check(s.sequence == 0 && s.total == -1 && s.received.count == 0);
        fuzz_check(s.claims == 0 && s.path == NULL);
    }

    upload_state_free(&s);
}


/* The checksum of the header itself is always right. */

static void
fuzz_header(fuzz_file_t *file, unsigned slot, const uint8_t *numbers,
    unsigned flags)
{
    size_t          body;
    unsigned char  *p;

    body = file->length - UPLOAD_STATE_BODIES;
    p = file->bytes + slot * UPLOAD_STATE_HEADER;

    memcpy(p, "UPLSTATE\1\0\0\0", FUZZ_FIELDS);
    memcpy(p + FUZZ_FIELDS, numbers, FUZZ_NUMBERS);

    if (!(flags & FUZZ_OTHER_SLOT)) {
        p[FUZZ_SEQUENCE] = (unsigned char) ((p[FUZZ_SEQUENCE] & 0xfe) | slot);
    }

    fuzz_put32(p + FUZZ_OFFSET, UPLOAD_STATE_BODIES);
    fuzz_put32(p + FUZZ_OFFSET + 8, body);
    fuzz_put32(p + FUZZ_OFFSET + 16,
               crc32_z(0, file->bytes + UPLOAD_STATE_BODIES, body));

    if (flags & FUZZ_HANDED_ON) {
        p[FUZZ_HANDED] = numbers[6];
    }

    if (flags & FUZZ_BROKEN) {
        /* somewhere in where the body is, how long, and its checksum */
        p[FUZZ_OFFSET + numbers[4] % 24] ^= (unsigned char) (1 + numbers[5]);
    }

    fuzz_put32(p + FUZZ_CRC, crc32_z(0, p, FUZZ_CRC));
}


static void
fuzz_put32(unsigned char *out, unsigned long value)
{
    unsigned  i;

    for (i = 0; i < 4; i++) {
        out[i] = (unsigned char) (value >> (8 * i));
    }
}


static void
fuzz_life(const uint8_t *data, size_t size)
{
    fuzz_step_t         step;
    upload_state_t      s;
    static fuzz_file_t  file;

    if (size < 1) {
        return;
    }

    file.length = 0;

    upload_state_init(&s);
    fuzz_check(fuzz_load(&file, &s) == 1);
    fuzz_check(upload_digest_start(&s.digest, data[0] % 32) == 0);

    for (data++, size--; size >= FUZZ_STEP; data += FUZZ_STEP) {
        size -= FUZZ_STEP;

        step.what = data[0];
        step.from = data[1];
        step.to = data[2];
        step.cut = data[3];

        fuzz_step(&s, &step);

        if (step.what & 0x80 && s.sequence < FUZZ_VERSIONS) {
            fuzz_write(&file, &s, &step);
        }
    }

    upload_state_free(&s);
}


static void
fuzz_step(upload_state_t *s, const fuzz_step_t *step)
{
    uint64_t       token;
    unsigned char  path[256];

    switch (step->what % 8) {

    case 0:
        token = upload_state_claim(s, step->from, step->to);
        fuzz_check((token == 0) == (step->from > step->to));
        fuzz_check(token == 0 || upload_state_claimed(s, token) != NULL);
        break;

    case 1:
        upload_state_release(s, step->from);
        fuzz_check(upload_state_claimed(s, step->from) == NULL);
        break;

    case 2:
        memset(path, 'a' + step->to % 26, step->from + 1U);
        fuzz_check(upload_state_set_path(s, path, step->from + 1U) == 0);
        break;

    case 3:
        s->total = 256 + step->from;
        s->last.start = step->to / 2;
        s->last.end = step->to;
        s->last_crc = step->from * 0x1000001U;
        break;

    case 4:
        s->complete = (s->total >= 0
                       && upload_ranges_prefix(&s->received) == s->total);
        s->handed = s->complete ? step->from : 0;
        s->told = s->complete && (step->to & 1);
        break;

    case 5:
        fuzz_received(s, 0, step->to + 256);
        break;

    default:
        fuzz_received(s, step->from, step->to);
    }
}


/* The prefix is digested up to half of what is new: it is all zeros. */

static void
fuzz_received(upload_state_t *s, int64_t from, int64_t to)
{
    size_t                n;
    static unsigned char  zeros[512];

    if (s->total >= 0 && to > s->total) {
        to = s->total;
    }

    fuzz_check(upload_ranges_add(&s->received, from, to) == 0);

    n = (size_t) (upload_ranges_prefix(&s->received) - s->hashed + 1) / 2;

    fuzz_check(upload_digest_update(&s->digest, zeros, n) == 0);
    s->hashed += (int64_t) n;
}


static void
fuzz_write(fuzz_file_t *file, upload_state_t *s, const fuzz_step_t *step)
{
    size_t          header_offset, body_offset, body_length;
    uint64_t        fences;
    upload_state_t  before, after;
    unsigned char  *body, header[UPLOAD_STATE_HEADER];

    if (s->total >= 0
        && s->received.count
        && s->received.range[s->received.count - 1].end > s->total)
    {
        s->total = -1;
        s->complete = 0;
    }

    s->complete = (s->complete
                   && upload_ranges_prefix(&s->received) == s->total);
    s->handed = s->complete ? s->handed : 0;
    s->told = s->complete && s->told;

    upload_state_init(&before);
    upload_state_init(&after);

    if (step->cut & FUZZ_CUT) {
        fuzz_check(fuzz_load(file, &before) == (s->sequence == 0));
    }

    body = upload_state_write(s, header, &header_offset, &body_offset,
                              &body_length);
    fuzz_check(body != NULL);

    if (step->cut & FUZZ_CUT_BODY) {
        fuzz_torn(file, body_offset, body, body_length, step, &before, s);
    }

    fuzz_put(file, body_offset, body, body_length);

    if (step->cut & FUZZ_CUT_HEADER) {
        fuzz_torn(file, header_offset, header, sizeof(header), step, &before,
                  s);
    }

    fuzz_put(file, header_offset, header, sizeof(header));

    if (step->cut & FUZZ_LOST_BODY) {
        memset(file->bytes + body_offset, step->from, body_length);
        fuzz_torn(file, body_offset, body, body_length, step, &before, s);
        fuzz_put(file, body_offset, body, body_length);
    }

    fuzz_check(fuzz_load(file, &after) == 0);
    fuzz_check(fuzz_same(&after, s));
    fuzz_check(upload_state_fences(file->bytes, UPLOAD_STATE_BODIES, &fences)
               == 0);
    fuzz_check(fences == s->fences);

    upload_state_free(&before);
    upload_state_free(&after);
    free(body);
}


/* Some of a write, and then what was there, or something else. */

static void
fuzz_torn(const fuzz_file_t *file, size_t offset, const unsigned char *data,
    size_t length, const fuzz_step_t *step, const upload_state_t *before,
    const upload_state_t *after)
{
    int                 rc;
    size_t              n;
    upload_state_t      s;
    static fuzz_file_t  torn;

    memcpy(torn.bytes, file->bytes, file->length);
    torn.length = file->length;

    n = (step->cut + 256U * step->to) % length;

    fuzz_put(&torn, offset, data, n);

    if (step->cut & FUZZ_GARBAGE) {
        memset(torn.bytes + offset + n, step->from, length - n);

        if (torn.length < offset + length) {
            torn.length = offset + length;
        }
    }

    upload_state_init(&s);

    rc = fuzz_load(&torn, &s);

    /*
     * The rest may have been as it should be, or have the same CRC: that of
     * four zeros, before four more, has that of eight 0xff in its place.
     */

    if (rc != 0
        || (!fuzz_same(&s, after)
            && crc32_z(0, torn.bytes + offset, length)
               != crc32_z(0, data, length)))
    {
        fuzz_check(rc == (before->sequence == 0));
        fuzz_check(fuzz_same(&s, before));
    }

    upload_state_free(&s);
}


static int
fuzz_load(const fuzz_file_t *file, upload_state_t *s)
{
    int             rc;
    unsigned char  *copy;

    copy = fuzz_copy(file->bytes, file->length);
    rc = upload_state_read(s, copy, file->length);
    free(copy);

    return rc;
}


static void
fuzz_put(fuzz_file_t *file, size_t offset, const unsigned char *data,
    size_t length)
{
    fuzz_check(offset + length <= FUZZ_FILE);

    if (file->length < offset) {
        memset(file->bytes + file->length, 0, offset - file->length);
    }

    memcpy(file->bytes + offset, data, length);

    if (file->length < offset + length) {
        file->length = offset + length;
    }
}


static int
fuzz_same(const upload_state_t *a, const upload_state_t *b)
{
    size_t         n;
    unsigned char  first[UPLOAD_DIGEST_MAX_STATE];
    unsigned char  second[UPLOAD_DIGEST_MAX_STATE];

    n = upload_digest_save(&a->digest, first);

    return a->sequence == b->sequence && a->tokens == b->tokens
           && a->fences == b->fences && a->total == b->total
           && a->hashed == b->hashed && a->complete == b->complete
           && a->last.start == b->last.start && a->last.end == b->last.end
           && a->last_crc == b->last_crc && a->handed == b->handed
           && a->told == b->told
           && n == upload_digest_save(&b->digest, second)
           && memcmp(first, second, n) == 0
           && a->path_length == b->path_length
           && (a->path_length == 0
               || memcmp(a->path, b->path, a->path_length + 1) == 0)
           && a->received.count == b->received.count
           && (a->received.count == 0
               || memcmp(a->received.range, b->received.range,
                         a->received.count * sizeof(upload_range_t)) == 0)
           && a->claims == b->claims
           && (a->claims == 0
               || memcmp(a->claim, b->claim,
                         a->claims * sizeof(upload_claim_t)) == 0);
}
