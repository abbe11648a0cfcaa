
/*
 * Content-Digest and Repr-Digest (RFC 9530): a dictionary (RFC 9651) of
 * algorithms with byte sequences, as "sha-256=:base64:, sha-512=:base64:".
 */

#ifndef UPLOAD_DIGEST_FIELD_H
#define UPLOAD_DIGEST_FIELD_H


#include <stddef.h>

#include "upload_digest.h"


typedef struct {
    unsigned       has_sha256:1;
    unsigned       has_sha512:1;
    unsigned char  sha256[SHA256_DIGEST_LENGTH];
    unsigned char  sha512[SHA512_DIGEST_LENGTH];
} upload_digest_field_t;


/*
 * Returns 0; -1 when the value is malformed, or a digest that we know is not a
 * byte sequence or has the wrong length.  Members of other algorithms are
 * skipped, whatever their type; of two members with one name the last counts,
 * as RFC 9651 says; an empty value has none.  The caller joins several header
 * lines with ", ".
 */
int upload_digest_field_parse(const unsigned char *value, size_t length,
    upload_digest_field_t *field);

/* The algorithms that the field names, as in upload_digest_t. */
unsigned upload_digest_field_wanted(const upload_digest_field_t *field);

/* Whether the digest is what the field says; one that says nothing agrees. */
int upload_digest_field_agrees(const upload_digest_field_t *field,
    const upload_digest_t *digest);


#endif
