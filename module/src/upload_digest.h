
/* Digests of a file, taken while it is written; only those asked for. */

#ifndef UPLOAD_DIGEST_H
#define UPLOAD_DIGEST_H


#include <stddef.h>
#include <openssl/evp.h>


enum {
    UPLOAD_DIGEST_MD5,
    UPLOAD_DIGEST_SHA1,
    UPLOAD_DIGEST_SHA256,
    UPLOAD_DIGEST_SHA512,
    UPLOAD_DIGEST_CRC32,
    UPLOAD_DIGEST_COUNT
};

#define UPLOAD_DIGEST_MAX_HEX  (2 * EVP_MAX_MD_SIZE)


typedef struct {
    unsigned       wanted;        /* bit n: algorithm n */
    unsigned long  crc;
    EVP_MD_CTX    *context[UPLOAD_DIGEST_CRC32];
} upload_digest_t;


/* Starts over, for another file; returns 0, or -1 when OpenSSL refuses. */
int upload_digest_start(upload_digest_t *d, unsigned wanted);

int upload_digest_update(upload_digest_t *d, const void *data, size_t length);

/*
 * Ends one algorithm and writes its lower-case hexadecimal digits, which are
 * UPLOAD_DIGEST_MAX_HEX at most.  Returns their number, or -1.
 */
int upload_digest_hex(upload_digest_t *d, unsigned algorithm,
    unsigned char *out);

void upload_digest_free(upload_digest_t *d);


#endif
