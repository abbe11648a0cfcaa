
/*
 * Parser for multipart bodies (RFC 2046, section 5.1; RFC 7578).  It is fed
 * whatever has arrived, keeps no more than one header line, and knows nothing
 * of nginx, so that it can be fuzzed alone.
 */

#ifndef UPLOAD_MULTIPART_H
#define UPLOAD_MULTIPART_H


#include <stddef.h>


/* RFC 2046 says 70; some clients send more. */
#define UPLOAD_MULTIPART_MAX_BOUNDARY  200

/* CRLF and two hyphens before it */
#define UPLOAD_MULTIPART_MAX_DELIMITER  (UPLOAD_MULTIPART_MAX_BOUNDARY + 4)

#define UPLOAD_MULTIPART_MAX_HEADERS   64


typedef enum {
    UPLOAD_MULTIPART_MORE,          /* all input is used up */
    UPLOAD_MULTIPART_HEADER,        /* a header line, without its CRLF */
    UPLOAD_MULTIPART_BODY,          /* the headers of a part have ended */
    UPLOAD_MULTIPART_DATA,          /* bytes of the part */
    UPLOAD_MULTIPART_PART_END,
    UPLOAD_MULTIPART_END,           /* the final boundary */
    UPLOAD_MULTIPART_BAD_BOUNDARY,  /* neither CRLF nor "--" follows it */
    UPLOAD_MULTIPART_BAD_HEADER,
    UPLOAD_MULTIPART_LONG_HEADER,
    UPLOAD_MULTIPART_MANY_HEADERS
} upload_multipart_event_t;


typedef enum {
    UPLOAD_MULTIPART_PREAMBLE,
    UPLOAD_MULTIPART_IN_PART,
    UPLOAD_MULTIPART_AFTER_BOUNDARY,
    UPLOAD_MULTIPART_AFTER_DASH,
    UPLOAD_MULTIPART_AFTER_CR,
    UPLOAD_MULTIPART_IN_HEADER,
    UPLOAD_MULTIPART_HEADER_CR,
    UPLOAD_MULTIPART_EPILOGUE,
    UPLOAD_MULTIPART_FAILED
} upload_multipart_state_t;


typedef struct {
    /* of the last event: a header line (writable) or bytes of a part */
    unsigned char             *text;
    size_t                     length;

    upload_multipart_state_t   state;
    upload_multipart_event_t   failure;

    unsigned char              delimiter[UPLOAD_MULTIPART_MAX_DELIMITER];
    size_t                     delimiter_length;
    size_t                     matched;   /* bytes of a delimiter seen */
    size_t                     implied;   /* of these, not in the input */

    unsigned char             *line;
    size_t                     line_size;
    size_t                     line_length;
    unsigned                   headers;
} upload_multipart_t;


/*
 * The line buffer takes header lines of at most line_size bytes and stays the
 * caller's.  Returns 0, or -1 when the boundary is not one of RFC 2046.
 */
int upload_multipart_init(upload_multipart_t *m, const unsigned char *boundary,
    size_t length, unsigned char *line, size_t line_size);

/*
 * Reads from *pos, moves it, and says what was found; text is valid until the
 * next call and as long as the input.  A failure is final: it is returned
 * again by every later call.
 */
upload_multipart_event_t upload_multipart_next(upload_multipart_t *m,
    unsigned char **pos, unsigned char *end);

/* Whether the final boundary has been seen. */
int upload_multipart_complete(const upload_multipart_t *m);


#endif
