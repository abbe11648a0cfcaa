
/*
 * Fuzz target of digests.  The first byte of an input says what the rest is:
 * a saved state, which is refused or is what would be saved of it; or a text
 * that is digested in pieces, with a state saved and restored between them, to
 * the digests of the whole.
 */

#include "fuzz.h"

#include "../src/upload_digest.h"


/* Pieces between which the state goes through its saved form. */
#define FUZZ_CUTS     4

/* Bytes that an algorithm can count the bits of. */
#define FUZZ_LONGEST  ((uint64_t) 1 << 61)


static void fuzz_saved(const uint8_t *data, size_t size);
static void fuzz_pieces(const uint8_t *data, size_t size, unsigned wanted);
static void fuzz_move(upload_digest_t *d);
static void fuzz_same(const upload_digest_t *a, const upload_digest_t *b);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }

    if (data[0] & 0x80) {
        fuzz_saved(data + 1, size - 1);

    } else {
        fuzz_pieces(data + 1, size - 1,
                    data[0] % (1U << UPLOAD_DIGEST_COUNT));
    }

    return 0;
}


static void
fuzz_saved(const uint8_t *data, size_t size)
{
    unsigned              i;
    uint64_t              length;
    upload_digest_t       d;
    unsigned char         saved[UPLOAD_DIGEST_MAX_STATE];
    unsigned char         raw[UPLOAD_DIGEST_MAX_RAW];
    static unsigned char  more[300];

    if (upload_digest_restore(&d, data, size) != 0) {
        return;
    }

    fuzz_check(size <= sizeof(saved));
    fuzz_check(upload_digest_save(&d, saved) == size);
    fuzz_check(memcmp(saved, data, size) == 0);

    length = d.length;

    fuzz_check((upload_digest_update(&d, more, sizeof(more)) == 0)
               == (length + sizeof(more) < FUZZ_LONGEST));

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {
        fuzz_check((upload_digest_raw(&d, i, raw) > 0)
                   == ((d.wanted >> i) & 1));
    }

    fuzz_move(&d);
}


static void
fuzz_pieces(const uint8_t *data, size_t size, unsigned wanted)
{
    size_t           i, n;
    upload_digest_t  whole, pieces;

    if (size < FUZZ_CUTS) {
        return;
    }

    fuzz_check(upload_digest_start(&whole, wanted) == 0);
    fuzz_check(upload_digest_start(&pieces, wanted) == 0);
    fuzz_check(upload_digest_update(&whole, data, size) == 0);

    /* where it is cut is in the text itself */

    for (i = 0; size; i++) {
        n = (i < FUZZ_CUTS) ? data[0] % (size + 1) : size;

        fuzz_check(upload_digest_update(&pieces, data, n) == 0);
        fuzz_move(&pieces);

        data += n;
        size -= n;
    }

    fuzz_same(&whole, &pieces);
}


static void
fuzz_move(upload_digest_t *d)
{
    size_t           n;
    unsigned char    saved[UPLOAD_DIGEST_MAX_STATE];
    upload_digest_t  restored;

    n = upload_digest_save(d, saved);

    fuzz_check(n <= sizeof(saved));
    fuzz_check(upload_digest_restore(&restored, saved, n) == 0);

    *d = restored;
}


static void
fuzz_same(const upload_digest_t *a, const upload_digest_t *b)
{
    int            n;
    unsigned       i;
    unsigned char  first[UPLOAD_DIGEST_MAX_RAW], second[UPLOAD_DIGEST_MAX_RAW];

    fuzz_check(a->length == b->length);

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {
        n = upload_digest_raw(a, i, first);

        fuzz_check(n == upload_digest_raw(b, i, second));
        fuzz_check(n == ((a->wanted >> i) & 1 ? n : -1));
        fuzz_check(n < 0 || memcmp(first, second, (size_t) n) == 0);
    }
}
