
/*
 * What is known of a file that arrives in pieces: which bytes are there, who
 * is writing which, and the digests of its beginning.  It lies in a small file
 * that is changed in place, under a lock, so that a kill at any moment leaves
 * either what was or what is.  docs/internals/upload-state.md has the format,
 * for other programs to read.
 *
 * The functions here know neither nginx nor files: they turn a state into
 * bytes and bytes into a state.
 */

#ifndef UPLOAD_STATE_H
#define UPLOAD_STATE_H


#include <stddef.h>
#include <stdint.h>

#include "upload_digest.h"
#include "upload_ranges.h"


/* A header at 0, another at UPLOAD_STATE_HEADER; bodies behind both. */
#define UPLOAD_STATE_HEADER     512
#define UPLOAD_STATE_BODIES     (2 * UPLOAD_STATE_HEADER)

/* A file that is larger is not one of ours. */
#define UPLOAD_STATE_MAX_FILE   (64 * 1024 * 1024)

#define UPLOAD_STATE_MAX_PATH   4096
#define UPLOAD_STATE_MAX_CLAIMS 4096


/* A request that is writing: nobody else may write there. */

typedef struct {
    uint64_t            token;
    upload_range_t      range;
} upload_claim_t;


typedef struct {
    uint64_t            sequence;    /* of this version of the state */
    uint64_t            tokens;      /* the last token that was given out */
    uint64_t            fences;      /* how often a claim was taken away */
    int64_t             total;       /* size of the whole file; -1: unknown */
    int64_t             hashed;      /* bytes that the digests cover */
    upload_range_t      last;        /* the range that made it whole */
    uint32_t            last_crc;    /* CRC-32 of its bytes */
    uint32_t            handed;      /* targets that may have the file */
    unsigned            complete:1;
    unsigned            told:1;      /* a target, which has not answered */

    upload_digest_t     digest;      /* of the first "hashed" bytes */
    upload_ranges_t     received;

    upload_claim_t     *claim;       /* malloc'ed; sorted by range */
    size_t              claims;
    size_t              claims_room;

    unsigned char      *path;        /* of the data; malloc'ed, with NUL */
    size_t              path_length;

    /* where its body lies in the file */
    size_t              body_offset;
    size_t              body_length;
} upload_state_t;


/* An empty state: nothing received, total unknown, no digest, no path. */
void upload_state_init(upload_state_t *s);

void upload_state_free(upload_state_t *s);

/*
 * Copies the path.  Returns 0; -1 when it is too long, has a NUL in it, or
 * without memory.
 */
int upload_state_set_path(upload_state_t *s, const unsigned char *path,
    size_t length);

/*
 * Reads the newest whole version from the bytes of a state file.  Returns 0;
 * 1 when there is none yet (an empty file, zeros, or a first version that was
 * cut off); -1 when what is there is broken or not ours; -2 without memory.
 * The state must be initialized; it is empty unless 0 is returned.
 */
int upload_state_read(upload_state_t *s, const unsigned char *file,
    size_t length);

/*
 * The next version: gives the body that is to be written at *body_offset and
 * then the header, of UPLOAD_STATE_HEADER bytes, to be written at
 * *header_offset.  Neither touches the version that is there.  Returns the
 * malloc'ed body; NULL without memory, when the file would become too large,
 * or when the parts of the state do not agree.  They agree when
 *
 *     0 <= hashed <= end of the contiguous prefix of "received";
 *     digest.length is "hashed", if any digest is wanted;
 *     "received" and "last" end at "total" or before, if that is known;
 *     0 .. total - 1 have been received, if "complete";
 *     "handed" and "told" are 0, unless "complete".
 *
 * The state takes the bytes for written: when they could not be, it must be
 * read again before the next version.
 */
unsigned char *upload_state_write(upload_state_t *s, unsigned char *header,
    size_t *header_offset, size_t *body_offset, size_t *body_length);

/*
 * Claims [start, end) for a writer and takes away every claim that overlaps.
 * An empty claim is one, too.  Returns the writer's token; 0 without memory or
 * unless 0 <= start <= end.  When there are UPLOAD_STATE_MAX_CLAIMS of them,
 * the oldest goes.
 */
uint64_t upload_state_claim(upload_state_t *s, int64_t start, int64_t end);

/*
 * The claim with a token, until the next one is made or goes; NULL when it was
 * taken away.
 */
upload_claim_t *upload_state_claimed(upload_state_t *s, uint64_t token);

/* Gives a claim back; unknown ones are ignored. */
void upload_state_release(upload_state_t *s, uint64_t token);

/*
 * Reads "fences" alone, from the first UPLOAD_STATE_BODIES bytes of a file, so
 * that a writer can tell cheaply that nobody has taken its claim.  Returns 0
 * or -1.
 */
int upload_state_fences(const unsigned char *headers, size_t length,
    uint64_t *fences);


#endif
