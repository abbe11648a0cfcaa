
/*
 * Fuzz target of Content-Digest.  A value says the same with another member in
 * front or behind, is refused in both cases or in none, and what it says is to
 * be found in it, read in another way.
 */

#include "fuzz.h"

#include "../src/upload_digest_field.h"


#define FUZZ_INPUT  1024


static void fuzz_beside(const uint8_t *data, size_t size, const char *before,
    const char *after, int rc, const upload_digest_field_t *field);
static int fuzz_found(const uint8_t *data, size_t size,
    const unsigned char *digest, size_t length);
static size_t fuzz_decode(const uint8_t *data, size_t size,
    unsigned char *out);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                    rc, length;
    unsigned               i;
    upload_digest_t        none;
    upload_digest_field_t  field;
    unsigned char          raw[UPLOAD_DIGEST_MAX_RAW];

    if (size == 0 || size > FUZZ_INPUT) {
        return 0;
    }

    rc = upload_digest_field_parse(data, size, UPLOAD_DIGEST_FIELD_ALL, &field);

    fuzz_check(rc == 0 || rc == -1);
    fuzz_check(rc == 0 || field.named == 0);
    fuzz_check(upload_digest_start(&none, UPLOAD_DIGEST_FIELD_ALL) == 0);

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (field.named & 1U << i) {
            length = upload_digest_raw(&none, i, raw);
            fuzz_check(fuzz_found(data, size, field.digest[i],
                                  (size_t) length));
        }
    }

    /* only spaces in front are looked at in another way in the middle */

    if (data[0] != ' ' && data[0] != '\t') {
        fuzz_beside(data, size, "x=(1 2);y,\t", "", rc, &field);
        fuzz_beside(data, size, "", " ,x", rc, &field);
        fuzz_beside(data, size, " ", " \t", rc, &field);
    }

    return 0;
}


static void
fuzz_beside(const uint8_t *data, size_t size, const char *before,
    const char *after, int rc, const upload_digest_field_t *field)
{
    size_t                 n, m;
    unsigned               i;
    unsigned char         *value;
    upload_digest_field_t  beside;

    n = strlen(before);
    m = strlen(after);

    value = malloc(n + size + m);
    fuzz_check(value != NULL);

    memcpy(value, before, n);
    memcpy(value + n, data, size);
    memcpy(value + n + size, after, m);

    fuzz_check(upload_digest_field_parse(value, n + size + m,
                                         UPLOAD_DIGEST_FIELD_ALL, &beside)
               == rc);
    fuzz_check(beside.named == field->named);

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {
        fuzz_check(!(field->named & 1U << i)
                   || memcmp(beside.digest[i], field->digest[i],
                             UPLOAD_DIGEST_MAX_RAW)
                      == 0);
    }

    free(value);
}


/* Whether some "=:...:" is the digest in base64. */

static int
fuzz_found(const uint8_t *data, size_t size, const unsigned char *digest,
    size_t length)
{
    size_t          i;
    const uint8_t  *end;
    unsigned char   raw[FUZZ_INPUT];

    for (i = 0; i + 1 < size; i++) {

        if (data[i] != '=' || data[i + 1] != ':') {
            continue;
        }

        end = memchr(data + i + 2, ':', size - i - 2);

        if (end
            && fuzz_decode(data + i + 2, (size_t) (end - data) - i - 2, raw)
               == length
            && memcmp(raw, digest, length) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* A bit at a time. */

static size_t
fuzz_decode(const uint8_t *data, size_t size, unsigned char *out)
{
    size_t              i, n, bit;
    const char         *at;
    static const char   digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";

    n = 0;

    for (i = 0; i < size && data[i] && data[i] != '='; i++) {

        at = strchr(digits, data[i]);
        if (at == NULL) {
            return 0;
        }

        for (bit = 6; bit-- > 0; n++) {

            if (n % 8 == 0) {
                out[n / 8] = 0;
            }

            out[n / 8] |= (unsigned char) ((((at - digits) >> bit) & 1)
                                           << (7 - n % 8));
        }
    }

    return n / 8;
}
