
/*
 * Fuzz target of the form parsers.  The first bytes of an input say how the
 * rest is cut; read whole and read in pieces it must give the same events,
 * and what is read must add up to what was given.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../src/upload_header.h"
#include "../src/upload_multipart.h"


#define FUZZ_LINE   96
#define FUZZ_INPUT  65536


typedef struct {
    unsigned char  *bytes;
    size_t          length;
    size_t          size;
} fuzz_trace_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_trace(fuzz_trace_t *trace, unsigned char event,
    const unsigned char *text, size_t length);
static void fuzz_run(fuzz_trace_t *trace, const uint8_t *body, size_t size,
    unsigned seed);
static void fuzz_disposition(const unsigned char *text, size_t length);
static void fuzz_content_type(const uint8_t *data, size_t size);
static void fuzz_escaped(const unsigned char *text, size_t length);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned      seed;
    fuzz_trace_t  whole, pieces;

    if (size < 2 || size > FUZZ_INPUT) {
        return 0;
    }

    seed = data[0] * 256U + data[1];
    data += 2;
    size -= 2;

    memset(&whole, 0, sizeof(fuzz_trace_t));
    memset(&pieces, 0, sizeof(fuzz_trace_t));

    fuzz_run(&whole, data, size, 0);
    fuzz_run(&pieces, data, size, seed | 1);

    if (whole.length != pieces.length
        || (whole.length
            && memcmp(whole.bytes, pieces.bytes, whole.length) != 0))
    {
        abort();
    }

    free(whole.bytes);
    free(pieces.bytes);

    fuzz_content_type(data, size);

    return 0;
}


/* Reads a body in pieces that the seed decides on; 0 is all at once. */

static void
fuzz_run(fuzz_trace_t *trace, const uint8_t *body, size_t size, unsigned seed)
{
    size_t                     n;
    unsigned char             *piece, *pos, line[FUZZ_LINE];
    upload_multipart_t         parser;
    upload_multipart_event_t   event;

    if (upload_multipart_init(&parser, (const unsigned char *) "Bx", 2, line,
                              sizeof(line))
        != 0)
    {
        abort();
    }

    do {
        n = size;

        if (seed) {
            seed = seed * 1103515245U + 12345U;
            n = 1 + (seed >> 16) % 9;

            if (n > size) {
                n = size;
            }
        }

        /* a copy of its own, so that reads beyond it are seen */

        piece = malloc(n ? n : 1);
        if (piece == NULL) {
            abort();
        }

        memcpy(piece, body, n);
        pos = piece;

        do {
            event = upload_multipart_next(&parser, &pos, piece + n);

            if (pos > piece + n) {
                abort();
            }

            if (event == UPLOAD_MULTIPART_HEADER && parser.length > FUZZ_LINE) {
                abort();
            }

            if (event == UPLOAD_MULTIPART_HEADER) {
                fuzz_disposition(parser.text, parser.length);
            }

            if (event != UPLOAD_MULTIPART_MORE) {
                fuzz_trace(trace, (unsigned char) event, parser.text,
                           (event == UPLOAD_MULTIPART_HEADER
                            || event == UPLOAD_MULTIPART_DATA)
                           ? parser.length : 0);
            }

        } while (event != UPLOAD_MULTIPART_MORE
                 && event < UPLOAD_MULTIPART_BAD_BOUNDARY);

        free(piece);

        body += n;
        size -= n;

    } while (size && event < UPLOAD_MULTIPART_BAD_BOUNDARY);
}


/* Pieces of data that follow each other count as one. */

static void
fuzz_trace(fuzz_trace_t *trace, unsigned char event, const unsigned char *text,
    size_t length)
{
    static unsigned char  last;

    if (trace->size < trace->length + length + 1) {
        trace->size = 2 * (trace->length + length + 1);

        trace->bytes = realloc(trace->bytes, trace->size);
        if (trace->bytes == NULL) {
            abort();
        }
    }

    if (trace->length == 0) {
        last = 0;
    }

    if (event != UPLOAD_MULTIPART_DATA || last != event) {
        trace->bytes[trace->length++] = event;
    }

    if (length) {
        memcpy(trace->bytes + trace->length, text, length);
        trace->length += length;
    }

    last = event;
}


static void
fuzz_disposition(const unsigned char *text, size_t length)
{
    unsigned char         *copy;
    upload_disposition_t   disposition;

    copy = malloc(length ? length : 1);
    if (copy == NULL) {
        abort();
    }

    memcpy(copy, text, length);

    if (upload_disposition_parse(copy, length, &disposition) == 0) {

        if (disposition.name.data == NULL
            || disposition.name.data < copy
            || disposition.name.data + disposition.name.length
               > copy + length)
        {
            abort();
        }

        fuzz_escaped(disposition.name.data, disposition.name.length);

        if (disposition.is_file) {

            if (memchr(disposition.filename.data, '/',
                       disposition.filename.length)
                || memchr(disposition.filename.data, '\\',
                          disposition.filename.length))
            {
                abort();
            }

            fuzz_escaped(disposition.filename.data,
                         disposition.filename.length);
        }
    }

    free(copy);
}


static void
fuzz_content_type(const uint8_t *data, size_t size)
{
    unsigned char       *copy, line[FUZZ_LINE];
    upload_text_t        boundary;
    upload_multipart_t   parser;
    static const char    type[] = "multipart/form-data";

    copy = malloc(sizeof(type) + size);
    if (copy == NULL) {
        abort();
    }

    memcpy(copy, type, sizeof(type) - 1);
    memcpy(copy + sizeof(type) - 1, data, size);

    if (upload_content_type_parse(copy, sizeof(type) - 1 + size, &boundary)
        == 0)
    {
        (void) upload_multipart_init(&parser, boundary.data, boundary.length,
                                     line, sizeof(line));
    }

    free(copy);
}


/* Whatever the name, it stays between the quotes and on its line. */

static void
fuzz_escaped(const unsigned char *text, size_t length)
{
    size_t          i, n, rounds;
    unsigned char  *out;

    for (rounds = 0; rounds < 2; rounds++) {

        out = malloc(3 * length + 1);
        if (out == NULL) {
            abort();
        }

        n = rounds ? upload_name_escape(out, text, length)
                   : upload_text_escape(out, text, length);

        for (i = 0; i < n; i++) {

            if (out[i] < 0x20 || out[i] == 0x7f
                || (rounds && (out[i] == '"' || out[i] == '\\')))
            {
                abort();
            }
        }

        free(out);
    }
}
