
/*
 * Fuzz target of the form parser.  The first bytes of an input say how the
 * rest is cut; read whole and read in pieces it must give the same events,
 * and what is read must add up to what was given.
 */

#include "fuzz.h"

#include "../src/upload_multipart.h"


#define FUZZ_LINE   96
#define FUZZ_INPUT  8192
#define FUZZ_TRACE  (3 * FUZZ_INPUT)


typedef struct {
    unsigned char  bytes[FUZZ_TRACE];
    size_t         length;
    unsigned char  last;
} fuzz_trace_t;


static void fuzz_run(fuzz_trace_t *trace, const uint8_t *body, size_t size,
    unsigned seed, unsigned longest);
static upload_multipart_event_t fuzz_feed(fuzz_trace_t *trace,
    upload_multipart_t *parser, unsigned char *piece, size_t length);
static void fuzz_trace(fuzz_trace_t *trace, unsigned char event,
    const unsigned char *text, size_t length);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned             seed, longest;
    static fuzz_trace_t  whole, pieces;

    if (size < 2 || size > FUZZ_INPUT) {
        return 0;
    }

    seed = data[0] * 256U + data[1];
    longest = 1 + data[0] % 24;

    fuzz_run(&whole, data + 2, size - 2, 0, 1);
    fuzz_run(&pieces, data + 2, size - 2, seed | 1, longest);

    fuzz_check(whole.length == pieces.length);
    fuzz_check(memcmp(whole.bytes, pieces.bytes, whole.length) == 0);

    return 0;
}


/* Reads a body in pieces that the seed decides on; 0 is all at once. */

static void
fuzz_run(fuzz_trace_t *trace, const uint8_t *body, size_t size, unsigned seed,
    unsigned longest)
{
    size_t                     n;
    unsigned char             *piece, line[FUZZ_LINE];
    upload_multipart_t         parser;
    upload_multipart_event_t   event;

    trace->length = 0;
    trace->last = 0;

    fuzz_check(upload_multipart_init(&parser, (const unsigned char *) "Bx", 2,
                                     line, sizeof(line))
               == 0);

    do {
        n = size;

        if (seed) {
            seed = seed * 1103515245U + 12345U;
            n = 1 + (seed >> 16) % longest;

            if (n > size) {
                n = size;
            }
        }

        piece = fuzz_copy(body, n);
        event = fuzz_feed(trace, &parser, piece, n);
        free(piece);

        body += n;
        size -= n;

    } while (size && event < UPLOAD_MULTIPART_BAD_BOUNDARY);

    fuzz_trace(trace, upload_multipart_complete(&parser) ? 'C' : 'I', NULL, 0);
}


static upload_multipart_event_t
fuzz_feed(fuzz_trace_t *trace, upload_multipart_t *parser,
    unsigned char *piece, size_t length)
{
    size_t                     text;
    unsigned char             *pos;
    upload_multipart_event_t   event;

    pos = piece;

    do {
        event = upload_multipart_next(parser, &pos, piece + length);

        fuzz_check(pos >= piece && pos <= piece + length);

        text = 0;

        if (event == UPLOAD_MULTIPART_HEADER) {
            fuzz_check(parser->length <= FUZZ_LINE);
            text = parser->length;

        } else if (event == UPLOAD_MULTIPART_DATA) {
            fuzz_check(parser->length > 0);
            text = parser->length;
        }

        if (event != UPLOAD_MULTIPART_MORE) {
            fuzz_trace(trace, (unsigned char) event, parser->text, text);
        }

    } while (event != UPLOAD_MULTIPART_MORE
             && event < UPLOAD_MULTIPART_BAD_BOUNDARY);

    return event;
}


/* Pieces of data that follow each other count as one. */

static void
fuzz_trace(fuzz_trace_t *trace, unsigned char event, const unsigned char *text,
    size_t length)
{
    /* an event takes a byte of input at least, a text no more than it was */
    fuzz_check(trace->length + length + 1 <= FUZZ_TRACE);

    if (event != UPLOAD_MULTIPART_DATA || trace->last != event) {
        trace->bytes[trace->length++] = event;
    }

    if (length) {
        memcpy(trace->bytes + trace->length, text, length);
        trace->length += length;
    }

    trace->last = event;
}
