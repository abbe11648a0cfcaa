
#include <zlib.h>

#include "upload_digest.h"


static const EVP_MD *upload_digest_algorithm(unsigned algorithm);


int
upload_digest_start(upload_digest_t *d, unsigned wanted)
{
    unsigned  i;

    d->wanted = wanted;
    d->crc = crc32(0L, Z_NULL, 0);

    for (i = 0; i < UPLOAD_DIGEST_CRC32; i++) {

        if (!(wanted & (1U << i))) {
            continue;
        }

        if (d->context[i] == NULL) {
            d->context[i] = EVP_MD_CTX_new();
            if (d->context[i] == NULL) {
                return -1;
            }
        }

        if (EVP_DigestInit_ex(d->context[i], upload_digest_algorithm(i), NULL)
            != 1)
        {
            return -1;
        }
    }

    return 0;
}


int
upload_digest_update(upload_digest_t *d, const void *data, size_t length)
{
    unsigned  i;

    for (i = 0; i < UPLOAD_DIGEST_CRC32; i++) {

        if ((d->wanted & (1U << i))
            && EVP_DigestUpdate(d->context[i], data, length) != 1)
        {
            return -1;
        }
    }

    if (d->wanted & (1U << UPLOAD_DIGEST_CRC32)) {
        d->crc = crc32_z(d->crc, data, length);
    }

    return 0;
}


int
upload_digest_hex(upload_digest_t *d, unsigned algorithm, unsigned char *out)
{
    unsigned           i, length;
    unsigned char      raw[EVP_MAX_MD_SIZE];
    static const char  hex[] = "0123456789abcdef";

    if (algorithm == UPLOAD_DIGEST_CRC32) {
        length = 4;

        for (i = 0; i < length; i++) {
            raw[i] = (unsigned char) (d->crc >> (24 - 8 * i));
        }

    } else if (EVP_DigestFinal_ex(d->context[algorithm], raw, &length) != 1) {
        return -1;
    }

    for (i = 0; i < length; i++) {
        *out++ = (unsigned char) hex[raw[i] >> 4];
        *out++ = (unsigned char) hex[raw[i] & 0xf];
    }

    return (int) (2 * length);
}


void
upload_digest_free(upload_digest_t *d)
{
    unsigned  i;

    for (i = 0; i < UPLOAD_DIGEST_CRC32; i++) {
        EVP_MD_CTX_free(d->context[i]);
        d->context[i] = NULL;
    }
}


static const EVP_MD *
upload_digest_algorithm(unsigned algorithm)
{
    switch (algorithm) {

    case UPLOAD_DIGEST_MD5:
        return EVP_md5();

    case UPLOAD_DIGEST_SHA1:
        return EVP_sha1();

    case UPLOAD_DIGEST_SHA256:
        return EVP_sha256();

    default:
        return EVP_sha512();
    }
}
