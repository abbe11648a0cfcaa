
/*
 * Digests of a file, taken while it is written; only those asked for.  Their
 * states are plain data: they can be saved and go on in another process.
 */

#ifndef UPLOAD_DIGEST_H
#define UPLOAD_DIGEST_H


#include <stddef.h>
#include <stdint.h>

/* EVP contexts cannot be saved; these can, and run the same assembly. */
#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#endif
#include <openssl/md5.h>
#include <openssl/sha.h>


enum {
    UPLOAD_DIGEST_MD5,
    UPLOAD_DIGEST_SHA1,
    UPLOAD_DIGEST_SHA256,
    UPLOAD_DIGEST_SHA512,
    UPLOAD_DIGEST_CRC32,
    UPLOAD_DIGEST_COUNT
};

#define UPLOAD_DIGEST_MAX_RAW    SHA512_DIGEST_LENGTH
#define UPLOAD_DIGEST_MAX_HEX    (2 * UPLOAD_DIGEST_MAX_RAW)

/* What upload_digest_save() writes at most. */
#define UPLOAD_DIGEST_MAX_STATE  1024


typedef struct {
    unsigned       wanted;        /* bit n: algorithm n */
    uint32_t       crc;
    uint64_t       length;        /* bytes taken so far */
    MD5_CTX        md5;
    SHA_CTX        sha1;
    SHA256_CTX     sha256;
    SHA512_CTX     sha512;
} upload_digest_t;


/*
 * Starts over, for another file.  Returns 0, or -1 when OpenSSL refuses or an
 * algorithm is wanted that does not exist.
 */
int upload_digest_start(upload_digest_t *d, unsigned wanted);

/*
 * Takes the next bytes.  Returns 0, or -1 when OpenSSL refuses or there would
 * be 2^61 of them: the algorithms count bits.
 */
int upload_digest_update(upload_digest_t *d, const void *data, size_t length);

/*
 * Ends a copy of one algorithm, so that the digest can go on, and writes its
 * raw bytes, UPLOAD_DIGEST_MAX_RAW at most.  Returns their number, or -1 when
 * it was not wanted or OpenSSL refuses.
 */
int upload_digest_raw(const upload_digest_t *d, unsigned algorithm,
    unsigned char *out);

/* The same as lower-case hexadecimal digits, UPLOAD_DIGEST_MAX_HEX at most. */
int upload_digest_hex(const upload_digest_t *d, unsigned algorithm,
    unsigned char *out);

/*
 * Writes the state in a form that does not depend on the machine's byte order
 * nor on OpenSSL's structures; returns its length, UPLOAD_DIGEST_MAX_STATE at
 * most.
 */
size_t upload_digest_save(const upload_digest_t *d, unsigned char *out);

/*
 * Reads what was saved.  Returns 0, or -1 when it is not such a state, whole;
 * d is then as it was.  Whatever the bytes, later calls stay within bounds.
 */
int upload_digest_restore(upload_digest_t *d, const unsigned char *data,
    size_t length);


#endif
