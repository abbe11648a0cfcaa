
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>

#include "upload_multipart.h"


static int upload_multipart_scan(upload_multipart_t *m, unsigned char **pos,
    unsigned char *end);
static int upload_multipart_continue(upload_multipart_t *m,
    unsigned char **pos, unsigned char *end);
static upload_multipart_event_t upload_multipart_header(upload_multipart_t *m,
    unsigned char **pos, unsigned char *end);
static upload_multipart_event_t upload_multipart_line(upload_multipart_t *m);
static upload_multipart_event_t upload_multipart_fail(upload_multipart_t *m,
    upload_multipart_event_t failure);


int
upload_multipart_init(upload_multipart_t *m, const unsigned char *boundary,
    size_t length, unsigned char *line, size_t line_size)
{
    size_t       i;
    /* RFC 2046, and what else is a token: clients send "*****" as well */

    static char  allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? "
                             "!#$%&*^`{|}~";

    if (length == 0 || length > UPLOAD_MULTIPART_MAX_BOUNDARY
        || boundary[length - 1] == ' ')
    {
        return -1;
    }

    for (i = 0; i < length; i++) {
        if (memchr(allowed, boundary[i], sizeof(allowed) - 1) == NULL) {
            return -1;
        }
    }

    memset(m, 0, sizeof(upload_multipart_t));

    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary, length);
    m->delimiter_length = length + 4;

    m->line = line;
    m->line_size = line_size;

    /* the first boundary has no CRLF before it */
    m->matched = m->implied = 2;

    return 0;
}


upload_multipart_event_t
upload_multipart_next(upload_multipart_t *m, unsigned char **pos,
    unsigned char *end)
{
    unsigned char  ch;

    for ( ;; ) {

        switch (m->state) {

        case UPLOAD_MULTIPART_PREAMBLE:
            if (upload_multipart_scan(m, pos, end)) {
                m->state = UPLOAD_MULTIPART_AFTER_BOUNDARY;
                continue;
            }

            if (m->length == 0) {
                return UPLOAD_MULTIPART_MORE;
            }

            continue;

        case UPLOAD_MULTIPART_IN_PART:
            if (upload_multipart_scan(m, pos, end)) {
                m->state = UPLOAD_MULTIPART_AFTER_BOUNDARY;
                return UPLOAD_MULTIPART_PART_END;
            }

            return m->length ? UPLOAD_MULTIPART_DATA : UPLOAD_MULTIPART_MORE;

        case UPLOAD_MULTIPART_IN_HEADER:
        case UPLOAD_MULTIPART_HEADER_CR:
            return upload_multipart_header(m, pos, end);

        case UPLOAD_MULTIPART_EPILOGUE:
            *pos = end;
            return UPLOAD_MULTIPART_MORE;

        case UPLOAD_MULTIPART_FAILED:
            return m->failure;

        default:
            break;
        }

        if (*pos == end) {
            return UPLOAD_MULTIPART_MORE;
        }

        ch = *(*pos)++;

        if (m->state == UPLOAD_MULTIPART_AFTER_BOUNDARY && ch == '\r') {
            m->state = UPLOAD_MULTIPART_AFTER_CR;

        } else if (m->state == UPLOAD_MULTIPART_AFTER_BOUNDARY && ch == '-') {
            m->state = UPLOAD_MULTIPART_AFTER_DASH;

        } else if (m->state == UPLOAD_MULTIPART_AFTER_CR && ch == '\n') {
            m->state = UPLOAD_MULTIPART_IN_HEADER;
            m->line_length = 0;
            m->headers = 0;

        } else if (m->state == UPLOAD_MULTIPART_AFTER_DASH && ch == '-') {
            m->state = UPLOAD_MULTIPART_EPILOGUE;
            return UPLOAD_MULTIPART_END;

        } else {
            return upload_multipart_fail(m, UPLOAD_MULTIPART_BAD_BOUNDARY);
        }
    }
}


int
upload_multipart_complete(const upload_multipart_t *m)
{
    return m->state == UPLOAD_MULTIPART_EPILOGUE;
}


/*
 * Looks for the delimiter: returns 1 behind it, else 0 with the bytes before
 * it in text.  A boundary has no CR, so the delimiter has only the one it
 * begins with: what matched half can hide no other beginning, and only the
 * last CR of the input can begin a delimiter that the input cuts off.
 */

static int
upload_multipart_scan(upload_multipart_t *m, unsigned char **pos,
    unsigned char *end)
{
    size_t          left, keep;
    unsigned char  *start, *hit;

    m->length = 0;

    if (m->matched) {
        if (upload_multipart_continue(m, pos, end)) {
            return 1;
        }

        if (m->matched || m->length) {
            return 0;
        }
    }

    start = *pos;
    left = end - start;

    if (left == 0) {
        return 0;
    }

    m->text = start;

    hit = memmem(start, left, m->delimiter, m->delimiter_length);

    if (hit) {
        m->length = hit - start;
        *pos = hit + m->delimiter_length;

        if (m->length == 0) {
            return 1;
        }

        m->matched = m->delimiter_length;
        return 0;
    }

    m->length = left;
    *pos = end;

    keep = m->delimiter_length - 1;

    if (keep > left) {
        keep = left;
    }

    hit = memrchr(end - keep, '\r', keep);

    if (hit && memcmp(hit, m->delimiter, end - hit) == 0) {
        m->matched = end - hit;
        m->length -= m->matched;
    }

    return 0;
}


/*
 * Goes on with a delimiter that the last input cut off.  If it is none after
 * all, the bytes that were held back are those of the delimiter itself.
 */

static int
upload_multipart_continue(upload_multipart_t *m, unsigned char **pos,
    unsigned char *end)
{
    size_t  n;

    n = m->delimiter_length - m->matched;

    if (n > (size_t) (end - *pos)) {
        n = end - *pos;
    }

    if (n == 0 || memcmp(m->delimiter + m->matched, *pos, n) == 0) {
        m->matched += n;
        *pos += n;

        if (m->matched == m->delimiter_length) {
            m->matched = m->implied = 0;
            return 1;
        }

        return 0;
    }

    m->text = m->delimiter + m->implied;
    m->length = m->matched - m->implied;
    m->matched = m->implied = 0;

    return 0;
}


static upload_multipart_event_t
upload_multipart_header(upload_multipart_t *m, unsigned char **pos,
    unsigned char *end)
{
    size_t          n, room;
    unsigned char  *cr;

    if (*pos == end) {
        return UPLOAD_MULTIPART_MORE;
    }

    if (m->state == UPLOAD_MULTIPART_IN_HEADER) {

        cr = memchr(*pos, '\r', end - *pos);
        n = (cr ? cr : end) - *pos;

        room = m->line_size - m->line_length;

        if (memchr(*pos, '\n', n < room ? n : room)) {
            return upload_multipart_fail(m, UPLOAD_MULTIPART_BAD_HEADER);
        }

        if (n > room) {
            return upload_multipart_fail(m, UPLOAD_MULTIPART_LONG_HEADER);
        }

        memcpy(m->line + m->line_length, *pos, n);
        m->line_length += n;
        *pos += n;

        if (cr == NULL) {
            return UPLOAD_MULTIPART_MORE;
        }

        (*pos)++;
        m->state = UPLOAD_MULTIPART_HEADER_CR;

        if (*pos == end) {
            return UPLOAD_MULTIPART_MORE;
        }
    }

    if (*(*pos)++ != '\n') {
        return upload_multipart_fail(m, UPLOAD_MULTIPART_BAD_HEADER);
    }

    return upload_multipart_line(m);
}


static upload_multipart_event_t
upload_multipart_line(upload_multipart_t *m)
{
    if (m->line_length == 0) {
        /* a boundary right here ends a part that is empty */
        m->state = UPLOAD_MULTIPART_IN_PART;
        m->matched = m->implied = 2;
        return UPLOAD_MULTIPART_BODY;
    }

    if (++m->headers > UPLOAD_MULTIPART_MAX_HEADERS) {
        return upload_multipart_fail(m, UPLOAD_MULTIPART_MANY_HEADERS);
    }

    m->state = UPLOAD_MULTIPART_IN_HEADER;
    m->text = m->line;
    m->length = m->line_length;
    m->line_length = 0;

    return UPLOAD_MULTIPART_HEADER;
}


static upload_multipart_event_t
upload_multipart_fail(upload_multipart_t *m, upload_multipart_event_t failure)
{
    m->state = UPLOAD_MULTIPART_FAILED;
    m->failure = failure;

    return failure;
}
