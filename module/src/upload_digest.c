
#include <string.h>
#include <zlib.h>

#include "upload_bytes.h"
#include "upload_digest.h"


/*
 * A saved state, integers little-endian: version, wanted, two zeros, length
 * (64 bits); then of each wanted algorithm, in the order of their numbers, the
 * chaining words and the bytes of a block that is not full yet (there are
 * length % block of them, so nothing says their number); of crc32, the value.
 */

#define UPLOAD_DIGEST_VERSION  1

/* Beyond, the counter of bits in MD5, SHA-1 and SHA-256 would wrap. */
#define UPLOAD_DIGEST_LONGEST  ((uint64_t) 1 << 61)


typedef struct {
    const unsigned char  *pos;
    const unsigned char  *end;
    int                   failed;
} upload_digest_reader_t;


static unsigned char *upload_digest_put_block(unsigned char *out,
    const void *block, size_t length);
static const unsigned char *upload_digest_take(upload_digest_reader_t *r,
    size_t size);
static uint32_t upload_digest_get32(upload_digest_reader_t *r);
static uint64_t upload_digest_get64(upload_digest_reader_t *r);
static unsigned upload_digest_get_block(upload_digest_reader_t *r, void *block,
    size_t length);
static void upload_digest_get_md5(upload_digest_reader_t *r,
    upload_digest_t *d);
static void upload_digest_get_sha1(upload_digest_reader_t *r,
    upload_digest_t *d);
static void upload_digest_get_sha256(upload_digest_reader_t *r,
    upload_digest_t *d);
static void upload_digest_get_sha512(upload_digest_reader_t *r,
    upload_digest_t *d);


int
upload_digest_start(upload_digest_t *d, unsigned wanted)
{
    if (wanted >> UPLOAD_DIGEST_COUNT) {
        return -1;
    }

    memset(d, 0, sizeof(upload_digest_t));

    d->wanted = wanted;
    d->crc = (uint32_t) crc32(0L, Z_NULL, 0);

    if ((wanted & (1U << UPLOAD_DIGEST_MD5) && MD5_Init(&d->md5) != 1)
        || (wanted & (1U << UPLOAD_DIGEST_SHA1) && SHA1_Init(&d->sha1) != 1)
        || (wanted & (1U << UPLOAD_DIGEST_SHA256)
            && SHA256_Init(&d->sha256) != 1)
        || (wanted & (1U << UPLOAD_DIGEST_SHA512)
            && SHA512_Init(&d->sha512) != 1))
    {
        return -1;
    }

    return 0;
}


int
upload_digest_update(upload_digest_t *d, const void *data, size_t length)
{
    if (length == 0) {
        /* zlib takes NULL for the wish to start over */
        return 0;
    }

    if (length >= UPLOAD_DIGEST_LONGEST - d->length) {
        return -1;
    }

    if ((d->wanted & (1U << UPLOAD_DIGEST_MD5)
         && MD5_Update(&d->md5, data, length) != 1)
        || (d->wanted & (1U << UPLOAD_DIGEST_SHA1)
            && SHA1_Update(&d->sha1, data, length) != 1)
        || (d->wanted & (1U << UPLOAD_DIGEST_SHA256)
            && SHA256_Update(&d->sha256, data, length) != 1)
        || (d->wanted & (1U << UPLOAD_DIGEST_SHA512)
            && SHA512_Update(&d->sha512, data, length) != 1))
    {
        return -1;
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_CRC32)) {
        d->crc = (uint32_t) crc32_z(d->crc, data, length);
    }

    d->length += length;

    return 0;
}


int
upload_digest_raw(const upload_digest_t *d, unsigned algorithm,
    unsigned char *out)
{
    MD5_CTX     md5;
    SHA_CTX     sha1;
    unsigned    i;
    SHA256_CTX  sha256;
    SHA512_CTX  sha512;

    if (algorithm >= UPLOAD_DIGEST_COUNT || !(d->wanted & (1U << algorithm))) {
        return -1;
    }

    switch (algorithm) {

    case UPLOAD_DIGEST_MD5:
        md5 = d->md5;
        return (MD5_Final(out, &md5) == 1) ? MD5_DIGEST_LENGTH : -1;

    case UPLOAD_DIGEST_SHA1:
        sha1 = d->sha1;
        return (SHA1_Final(out, &sha1) == 1) ? SHA_DIGEST_LENGTH : -1;

    case UPLOAD_DIGEST_SHA256:
        sha256 = d->sha256;
        return (SHA256_Final(out, &sha256) == 1) ? SHA256_DIGEST_LENGTH : -1;

    case UPLOAD_DIGEST_SHA512:
        sha512 = d->sha512;
        return (SHA512_Final(out, &sha512) == 1) ? SHA512_DIGEST_LENGTH : -1;

    default:
        break;
    }

    /* as it is written everywhere: the highest byte first */

    for (i = 0; i < 4; i++) {
        out[i] = (unsigned char) (d->crc >> (24 - 8 * i));
    }

    return 4;
}


int
upload_digest_hex(const upload_digest_t *d, unsigned algorithm,
    unsigned char *out)
{
    int                i, length;
    unsigned char      raw[UPLOAD_DIGEST_MAX_RAW];
    static const char  hex[] = "0123456789abcdef";

    length = upload_digest_raw(d, algorithm, raw);

    for (i = 0; i < length; i++) {
        *out++ = (unsigned char) hex[raw[i] >> 4];
        *out++ = (unsigned char) hex[raw[i] & 0xf];
    }

    return (length < 0) ? -1 : 2 * length;
}


size_t
upload_digest_save(const upload_digest_t *d, unsigned char *out)
{
    unsigned        i;
    const MD5_CTX  *md5;
    const SHA_CTX  *sha1;
    unsigned char  *start;

    start = out;

    out = upload_put32(out, UPLOAD_DIGEST_VERSION | d->wanted << 8);
    out = upload_put64(out, d->length);

    if (d->wanted & (1U << UPLOAD_DIGEST_MD5)) {
        md5 = &d->md5;

        out = upload_put32(out, md5->A);
        out = upload_put32(out, md5->B);
        out = upload_put32(out, md5->C);
        out = upload_put32(out, md5->D);
        out = upload_digest_put_block(out, md5->data, d->length % MD5_CBLOCK);
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_SHA1)) {
        sha1 = &d->sha1;

        out = upload_put32(out, sha1->h0);
        out = upload_put32(out, sha1->h1);
        out = upload_put32(out, sha1->h2);
        out = upload_put32(out, sha1->h3);
        out = upload_put32(out, sha1->h4);
        out = upload_digest_put_block(out, sha1->data, d->length % SHA_CBLOCK);
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_SHA256)) {

        for (i = 0; i < 8; i++) {
            out = upload_put32(out, d->sha256.h[i]);
        }

        out = upload_digest_put_block(out, d->sha256.data,
                                d->length % SHA256_CBLOCK);
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_SHA512)) {

        for (i = 0; i < 8; i++) {
            out = upload_put64(out, d->sha512.h[i]);
        }

        out = upload_digest_put_block(out, d->sha512.u.p,
                                d->length % SHA512_CBLOCK);
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_CRC32)) {
        out = upload_put32(out, d->crc);
    }

    return (size_t) (out - start);
}


int
upload_digest_restore(upload_digest_t *d, const unsigned char *data,
    size_t length)
{
    unsigned                wanted;
    uint32_t                prefix;
    upload_digest_t         restored;
    upload_digest_reader_t  r;

    r.pos = data;
    r.end = data + length;
    r.failed = 0;

    prefix = upload_digest_get32(&r);
    wanted = prefix >> 8;

    if (r.failed || (prefix & 0xff) != UPLOAD_DIGEST_VERSION
        || upload_digest_start(&restored, wanted) != 0)
    {
        return -1;
    }

    restored.length = upload_digest_get64(&r);

    if (restored.length >= UPLOAD_DIGEST_LONGEST) {
        return -1;
    }

    if (wanted & (1U << UPLOAD_DIGEST_MD5)) {
        upload_digest_get_md5(&r, &restored);
    }

    if (wanted & (1U << UPLOAD_DIGEST_SHA1)) {
        upload_digest_get_sha1(&r, &restored);
    }

    if (wanted & (1U << UPLOAD_DIGEST_SHA256)) {
        upload_digest_get_sha256(&r, &restored);
    }

    if (wanted & (1U << UPLOAD_DIGEST_SHA512)) {
        upload_digest_get_sha512(&r, &restored);
    }

    if (wanted & (1U << UPLOAD_DIGEST_CRC32)) {
        restored.crc = upload_digest_get32(&r);
    }

    if (r.failed || r.pos != r.end) {
        return -1;
    }

    *d = restored;

    return 0;
}


static void
upload_digest_get_md5(upload_digest_reader_t *r, upload_digest_t *d)
{
    MD5_CTX  *md5;

    md5 = &d->md5;

    md5->A = upload_digest_get32(r);
    md5->B = upload_digest_get32(r);
    md5->C = upload_digest_get32(r);
    md5->D = upload_digest_get32(r);

    /* bits */
    md5->Nl = (MD5_LONG) (d->length << 3);
    md5->Nh = (MD5_LONG) (d->length >> 29);

    md5->num = upload_digest_get_block(r, md5->data, d->length % MD5_CBLOCK);
}


static void
upload_digest_get_sha1(upload_digest_reader_t *r, upload_digest_t *d)
{
    SHA_CTX  *sha1;

    sha1 = &d->sha1;

    sha1->h0 = upload_digest_get32(r);
    sha1->h1 = upload_digest_get32(r);
    sha1->h2 = upload_digest_get32(r);
    sha1->h3 = upload_digest_get32(r);
    sha1->h4 = upload_digest_get32(r);

    sha1->Nl = (SHA_LONG) (d->length << 3);
    sha1->Nh = (SHA_LONG) (d->length >> 29);

    sha1->num = upload_digest_get_block(r, sha1->data, d->length % SHA_CBLOCK);
}


static void
upload_digest_get_sha256(upload_digest_reader_t *r, upload_digest_t *d)
{
    unsigned     i;
    SHA256_CTX  *sha256;

    sha256 = &d->sha256;

    for (i = 0; i < 8; i++) {
        sha256->h[i] = upload_digest_get32(r);
    }

    sha256->Nl = (SHA_LONG) (d->length << 3);
    sha256->Nh = (SHA_LONG) (d->length >> 29);

    sha256->num = upload_digest_get_block(r, sha256->data,
                                          d->length % SHA256_CBLOCK);
}


static void
upload_digest_get_sha512(upload_digest_reader_t *r, upload_digest_t *d)
{
    unsigned     i;
    SHA512_CTX  *sha512;

    sha512 = &d->sha512;

    for (i = 0; i < 8; i++) {
        sha512->h[i] = upload_digest_get64(r);
    }

    sha512->Nl = (SHA_LONG64) (d->length << 3);

    sha512->num = upload_digest_get_block(r, sha512->u.p,
                                          d->length % SHA512_CBLOCK);
}


static unsigned char *
upload_digest_put_block(unsigned char *out, const void *block, size_t length)
{
    memcpy(out, block, length);

    return out + length;
}


/* NULL when there is not as much; who reads asks for failures at the end. */

static const unsigned char *
upload_digest_take(upload_digest_reader_t *r, size_t size)
{
    const unsigned char  *p;

    if ((size_t) (r->end - r->pos) < size) {
        r->failed = 1;
        return NULL;
    }

    p = r->pos;
    r->pos += size;

    return p;
}


static uint32_t
upload_digest_get32(upload_digest_reader_t *r)
{
    const unsigned char  *p;

    p = upload_digest_take(r, 4);

    return p ? upload_get32(p) : 0;
}


static uint64_t
upload_digest_get64(upload_digest_reader_t *r)
{
    const unsigned char  *p;

    p = upload_digest_take(r, 8);

    return p ? upload_get64(p) : 0;
}


static unsigned
upload_digest_get_block(upload_digest_reader_t *r, void *block, size_t length)
{
    const unsigned char  *p;

    p = upload_digest_take(r, length);
    if (p == NULL) {
        return 0;
    }

    memcpy(block, p, length);

    return (unsigned) length;
}
