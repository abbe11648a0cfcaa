
/*
 * Content-Digest and Repr-Digest (RFC 9530): a dictionary (RFC 9651) of
 * algorithms with byte sequences, as "sha-256=:base64:, sha-512=:base64:".  A
 * CRC-32 is four bytes, the highest first.
 */

#ifndef UPLOAD_DIGEST_FIELD_H
#define UPLOAD_DIGEST_FIELD_H


#include <stddef.h>

#include "upload_digest.h"


/* The active algorithms of the registry, RFC 9530, section 5. */
#define UPLOAD_DIGEST_FIELD_ACTIVE  (1U << UPLOAD_DIGEST_SHA256               \
                                     | 1U << UPLOAD_DIGEST_SHA512)

/* All that we compute: also md5, sha (SHA-1), and our own word crc32. */
#define UPLOAD_DIGEST_FIELD_ALL     ((1U << UPLOAD_DIGEST_COUNT) - 1)


typedef struct {
    unsigned       named;     /* bit n: algorithm n */
    unsigned       others:1;  /* a member with another name was there */
    unsigned char  digest[UPLOAD_DIGEST_COUNT][UPLOAD_DIGEST_MAX_RAW];
} upload_digest_field_t;


/*
 * Takes the digests of the algorithms in "known".  Returns 0; -1 when the value
 * is malformed, or such a digest is not a byte sequence or has the wrong
 * length.  Members of other algorithms are skipped, whatever their type; of two
 * members with one name the last counts, as RFC 9651 says; an empty value has
 * none.  The caller joins several header lines with ", ".
 */
int upload_digest_field_parse(const unsigned char *value, size_t length,
    unsigned known, upload_digest_field_t *field);

/* Whether the digest is what the field says; one that says nothing agrees. */
int upload_digest_field_agrees(const upload_digest_field_t *field,
    const upload_digest_t *digest);


#endif
