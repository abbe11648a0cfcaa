
/* A state through many versions of its file, and every way to cut a write. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../src/upload_state.h"


#define FILE_SIZE  (256 * 1024)


typedef struct {
    unsigned char  *bytes;
    size_t          length;
    size_t          longest;
} file_t;


static void
put(file_t *file, size_t offset, const unsigned char *data, size_t length)
{
    assert(offset + length <= FILE_SIZE);

    memcpy(file->bytes + offset, data, length);

    if (file->length < offset + length) {
        file->length = offset + length;
    }
}


static void
same_digests(const upload_digest_t *a, const upload_digest_t *b)
{
    size_t         n;
    unsigned char  first[UPLOAD_DIGEST_MAX_STATE];
    unsigned char  second[UPLOAD_DIGEST_MAX_STATE];

    n = upload_digest_save(a, first);

    assert(n == upload_digest_save(b, second));
    assert(memcmp(first, second, n) == 0);
}


static void
same(const upload_state_t *a, const upload_state_t *b)
{
    assert(a->sequence == b->sequence && a->tokens == b->tokens);
    assert(a->fences == b->fences && a->total == b->total);
    assert(a->hashed == b->hashed && a->complete == b->complete);
    assert(memcmp(&a->last, &b->last, sizeof(upload_range_t)) == 0);
    assert(a->last_crc == b->last_crc && a->handed == b->handed);
    same_digests(&a->digest, &b->digest);
    assert(a->path_length == b->path_length);
    assert(a->received.count == b->received.count && a->claims == b->claims);
    assert(a->path_length == 0
           || memcmp(a->path, b->path, a->path_length + 1) == 0);
    assert(a->received.count == 0
           || memcmp(a->received.range, b->received.range,
                     a->received.count * sizeof(upload_range_t)) == 0);
    assert(a->claims == 0
           || memcmp(a->claim, b->claim, a->claims * sizeof(upload_claim_t))
              == 0);
}


/* Reads an exact copy, so that reads beyond the end are seen. */

static int
read_copy(upload_state_t *s, const unsigned char *bytes, size_t length)
{
    int             rc;
    unsigned char  *copy;

    copy = malloc(length + !length);
    assert(copy != NULL);
    memcpy(copy, bytes, length);

    rc = upload_state_read(s, copy, length);

    free(copy);

    return rc;
}


/*
 * Whatever of a write was done, and whatever the rest of its place holds, what
 * was there before can be read: nothing, when it was the first.  The file may
 * have the header already, when a loss of power took the body behind it.
 */

static void
cut(const file_t *file, size_t offset, const unsigned char *data,
    size_t length, const upload_state_t *before)
{
    int             rc;
    size_t          n;
    file_t          torn;
    unsigned        fill;
    upload_state_t  s;
    unsigned char  *rest;

    upload_state_init(&s);

    torn.bytes = malloc(FILE_SIZE);
    rest = malloc(length);
    assert(torn.bytes != NULL && rest != NULL);

    for (n = 0; n < length; n++) {

        for (fill = 0; fill < 3; fill++) {

            memcpy(torn.bytes, file->bytes, FILE_SIZE);
            torn.length = file->length;

            put(&torn, offset, data, n);

            if (fill) {
                memset(rest, fill == 1 ? 0xa5 : 0, length);
                put(&torn, offset + n, rest, length - n);
            }

            if (memcmp(torn.bytes + offset, data, length) == 0) {
                /* the rest was as it should be */
                continue;
            }

            rc = read_copy(&s, torn.bytes, torn.length);

            if (before->sequence == 0) {
                assert(rc == 1 && s.sequence == 0 && s.total == -1);

            } else {
                assert(rc == 0);
                same(&s, before);
            }
        }
    }

    upload_state_free(&s);
    free(torn.bytes);
    free(rest);
}


static void
write_state(file_t *file, upload_state_t *s, int cuts)
{
    size_t          header_offset, body_offset, body_length;
    uint64_t        fences;
    upload_state_t  before, read;
    unsigned char  *body, header[UPLOAD_STATE_HEADER];

    upload_state_init(&before);
    upload_state_init(&read);

    (void) read_copy(&before, file->bytes, file->length);

    body = upload_state_write(s, header, &header_offset, &body_offset,
                              &body_length);
    assert(body != NULL);

    if (cuts) {
        cut(file, body_offset, body, body_length, &before);
    }

    put(file, body_offset, body, body_length);

    if (cuts) {
        cut(file, header_offset, header, sizeof(header), &before);
    }

    put(file, header_offset, header, sizeof(header));

    if (cuts) {
        memset(file->bytes + body_offset, 0, body_length);
        cut(file, body_offset, body, body_length, &before);
        put(file, body_offset, body, body_length);
    }

    if (body_length > file->longest) {
        file->longest = body_length;
    }

    assert(read_copy(&read, file->bytes, file->length) == 0);
    same(&read, s);

    assert(upload_state_fences(file->bytes, UPLOAD_STATE_BODIES, &fences) == 0
           && fences == s->fences);

    upload_state_free(&before);
    upload_state_free(&read);
    free(body);
}


/* One byte more or less, anywhere, is never taken for a version. */

static void
flips(const file_t *file, const upload_state_t *now)
{
    int             rc;
    size_t          i;
    upload_state_t  s;

    upload_state_init(&s);

    for (i = 0; i < file->length; i++) {
        file->bytes[i] ^= 0x10;

        rc = read_copy(&s, file->bytes, file->length);
        if (rc == 0 && s.sequence == now->sequence) {
            same(&s, now);

        } else {
            assert(rc == -1 || s.sequence == now->sequence - 1);
        }

        file->bytes[i] ^= 0x10;
    }

    upload_state_free(&s);
}


static void
life(void)
{
    int             i;
    file_t          file;
    uint64_t        token;
    unsigned char   piece[100];
    upload_state_t  s;

    memset(piece, 'x', sizeof(piece));

    file.bytes = calloc(1, FILE_SIZE);
    assert(file.bytes != NULL);
    file.length = 0;
    file.longest = 0;

    upload_state_init(&s);
    assert(read_copy(&s, file.bytes, 0) == 1);
    assert(read_copy(&s, file.bytes, 5000) == 1);

    assert(upload_digest_start(&s.digest, 1U << UPLOAD_DIGEST_SHA256
                                          | 1U << UPLOAD_DIGEST_CRC32) == 0);

    write_state(&file, &s, 1);

    assert(upload_state_set_path(&s, (const unsigned char *) "/store/1", 8)
           == 0);
    s.total = 100000;

    for (i = 0; i < 200; i++) {
        token = upload_state_claim(&s, 1000 + 20 * i, 1000 + 20 * i + 10);
        assert(token == (uint64_t) i + 1);
        assert(upload_ranges_add(&s.received, 100 + 20 * i, 110 + 20 * i)
               == 0);

        if (i % 3) {
            upload_state_release(&s, token);
        }

        write_state(&file, &s, i < 3 || i % 50 == 0);
    }

    assert(upload_ranges_add(&s.received, 0, 100000) == 0);
    assert(upload_digest_update(&s.digest, piece, sizeof(piece)) == 0);
    s.hashed = sizeof(piece);
    s.complete = 1;
    s.last.start = 7;
    s.last.end = 100000;
    s.last_crc = 0xfedcba98;
    s.handed = 0x01020304;

    write_state(&file, &s, 1);
    flips(&file, &s);

    /* the file grew with the body, not with the number of versions */

    for (i = 0; i < 1000; i++) {
        write_state(&file, &s, 0);
    }

    assert(file.length <= UPLOAD_STATE_BODIES + 4 * file.longest);

    upload_state_free(&s);
    free(file.bytes);
}


static void
claims(void)
{
    uint64_t        a, b, c;
    upload_state_t  s;

    upload_state_init(&s);

    assert(upload_state_claim(&s, -1, 5) == 0);
    assert(upload_state_claim(&s, 6, 5) == 0);

    a = upload_state_claim(&s, 0, 10);
    b = upload_state_claim(&s, 10, 20);
    assert(a && b && a != b && s.fences == 0);

    c = upload_state_claim(&s, 9, 11);
    assert(s.fences == 2 && s.claims == 1);
    assert(upload_state_claimed(&s, a) == NULL);
    assert(upload_state_claimed(&s, b) == NULL);
    assert(upload_state_claimed(&s, c)->range.start == 9);

    upload_state_release(&s, a);
    assert(s.claims == 1);
    upload_state_release(&s, c);
    assert(s.claims == 0 && s.fences == 2);

    /* the empty one: taken by one around it, not by one beside it */

    a = upload_state_claim(&s, 5, 5);
    b = upload_state_claim(&s, 5, 8);
    assert(upload_state_claimed(&s, a) != NULL);
    c = upload_state_claim(&s, 4, 6);
    assert(upload_state_claimed(&s, a) == NULL);
    assert(upload_state_claimed(&s, b) == NULL && s.claims == 1);
    upload_state_release(&s, c);

    upload_state_free(&s);
}


/* More than there may be: the oldest go, wherever they are. */

static void
many_claims(int64_t first, int64_t step)
{
    size_t          i;
    int64_t         n;
    uint64_t        token;
    upload_state_t  s;

    upload_state_init(&s);
    token = 0;

    for (n = 0; n < UPLOAD_STATE_MAX_CLAIMS + 10; n++) {
        token = upload_state_claim(&s, first + step * n, first + step * n + 5);
        assert(token != 0);
    }

    assert(s.claims == UPLOAD_STATE_MAX_CLAIMS && s.fences == 10);
    assert(upload_state_claimed(&s, token - UPLOAD_STATE_MAX_CLAIMS) == NULL);
    assert(upload_state_claimed(&s, token - UPLOAD_STATE_MAX_CLAIMS + 1)
           != NULL);

    for (i = 1; i < s.claims; i++) {
        assert(s.claim[i].range.start >= s.claim[i - 1].range.end);
    }

    upload_state_free(&s);
}


/* What is read of a whole file whose header has these flags. */

static int
read_flags(unsigned char flags, unsigned char handed, uint32_t *read)
{
    int             rc, i;
    file_t          file;
    uint32_t        crc;
    unsigned char  *header;
    upload_state_t  s;

    file.bytes = calloc(1, FILE_SIZE);
    assert(file.bytes != NULL);
    file.length = 0;
    file.longest = 0;

    upload_state_init(&s);
    s.total = 10;
    assert(upload_ranges_add(&s.received, 0, 10) == 0);
    write_state(&file, &s, 0);

    header = file.bytes + UPLOAD_STATE_HEADER;
    header[12] = flags;
    header[96] = handed;
    crc = (uint32_t) crc32_z(0, header, UPLOAD_STATE_HEADER - 4);

    for (i = 0; i < 4; i++) {
        header[UPLOAD_STATE_HEADER - 4 + i] = (unsigned char) (crc >> (8 * i));
    }

    rc = read_copy(&s, file.bytes, file.length);
    assert(rc != 0 || (s.complete == (flags & 1) && s.told == (flags >> 2)));
    *read = s.handed;

    upload_state_free(&s);
    free(file.bytes);

    return rc;
}


/* A state that does not count has been handed on once. */

static void
handed(void)
{
    uint32_t  n;

    assert(read_flags(0, 0, &n) == 0 && n == 0);
    assert(read_flags(1, 0, &n) == 0 && n == 1);
    assert(read_flags(3, 0, &n) == 0 && n == 0);
    assert(read_flags(3, 7, &n) == 0 && n == 7);
    assert(read_flags(7, 0, &n) == 0 && n == 0);
    assert(read_flags(7, 2, &n) == 0 && n == 2);

    assert(read_flags(0, 1, &n) == -1 && read_flags(1, 1, &n) == -1);
    assert(read_flags(2, 0, &n) == -1 && read_flags(2, 1, &n) == -1);
    assert(read_flags(4, 0, &n) == -1 && read_flags(5, 0, &n) == -1);
    assert(read_flags(6, 0, &n) == -1 && read_flags(8, 0, &n) == -1);
}


/* What could not be read again is not written. */

static void
disagreeing(void)
{
    size_t          header_offset, body_offset, body_length;
    upload_state_t  s;
    unsigned char   header[UPLOAD_STATE_HEADER], path[UPLOAD_STATE_MAX_PATH];

#define refused()                                                             \
    assert(upload_state_write(&s, header, &header_offset, &body_offset,       \
                              &body_length) == NULL && s.sequence == 0)

    upload_state_init(&s);
    memset(path, '/', sizeof(path));

    assert(upload_state_set_path(&s, path, sizeof(path)) == -1);
    assert(upload_state_set_path(&s, path, sizeof(path) - 1) == 0);
    path[5] = '\0';
    assert(upload_state_set_path(&s, path, 6) == -1);
    assert(s.path_length == sizeof(path) - 1);

    s.complete = 1;
    refused();
    s.complete = 0;

    s.handed = 1;
    refused();
    s.handed = 0;

    s.told = 1;
    refused();
    s.told = 0;

    s.hashed = 1;
    refused();
    s.hashed = 0;

    assert(upload_ranges_add(&s.received, 0, 10) == 0);
    s.total = 9;
    refused();
    s.total = 10;

    s.last.end = 11;
    refused();
    s.last.end = 10;

    assert(upload_digest_start(&s.digest, 1U << UPLOAD_DIGEST_MD5) == 0);
    s.hashed = 5;
    refused();
    assert(upload_digest_update(&s.digest, "12345", 5) == 0);

    free(upload_state_write(&s, header, &header_offset, &body_offset,
                            &body_length));
    assert(s.sequence == 1 && header_offset == UPLOAD_STATE_HEADER);

    upload_state_free(&s);
}


int
main(void)
{
    life();
    claims();
    many_claims(0, 10);
    many_claims(1000000, -10);
    handed();
    disagreeing();

    return 0;
}
