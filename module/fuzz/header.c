
/*
 * Fuzz target of the values of headers.  The first byte of an input says whose
 * value the rest is.  What is found lies within the value, and what is written
 * of it, between quotes, is read back as it is.
 */

#include "fuzz.h"

#include "../src/upload_header.h"


#define FUZZ_INPUT    1024
#define FUZZ_PREFIX   32
#define FUZZ_ESCAPED  (3 * (FUZZ_INPUT + FUZZ_PREFIX) + 1)


typedef struct {
    unsigned char  *data;
    size_t          length;
} fuzz_value_t;


static void fuzz_disposition(fuzz_value_t *value);
static void fuzz_content_type(fuzz_value_t *value);
static void fuzz_again(const upload_disposition_t *disposition);
static size_t fuzz_escaped(unsigned char *out, const upload_text_t *text,
    int quoted);
static void fuzz_within(const fuzz_value_t *value, const upload_text_t *text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              n;
    fuzz_value_t        value;
    static const char  *prefix[] = {
        "", "form-data; ", "", "multipart/form-data; "
    };

    if (size < 1 || size > FUZZ_INPUT) {
        return 0;
    }

    n = strlen(prefix[data[0] % 4]);

    value.length = n + size - 1;
    value.data = malloc(value.length + 1);
    fuzz_check(value.data != NULL);

    /* ends where the block ends */
    value.data++;

    memcpy(value.data, prefix[data[0] % 4], n);
    memcpy(value.data + n, data + 1, size - 1);

    if (data[0] % 4 < 2) {
        fuzz_disposition(&value);

    } else {
        fuzz_content_type(&value);
    }

    free(value.data - 1);

    return 0;
}


static void
fuzz_disposition(fuzz_value_t *value)
{
    size_t                       i;
    upload_disposition_t         disposition;
    static unsigned char         out[FUZZ_ESCAPED];

    if (upload_disposition_parse(value->data, value->length, &disposition)
        != 0)
    {
        return;
    }

    fuzz_check(disposition.name.data != NULL);
    fuzz_within(value, &disposition.name);

    if (disposition.filename.data) {
        fuzz_within(value, &disposition.filename);
    }

    if (disposition.is_file) {

        for (i = 0; i < disposition.filename.length; i++) {
            fuzz_check(disposition.filename.data[i] != '/'
                       && disposition.filename.data[i] != '\\');
        }

        (void) fuzz_escaped(out, &disposition.filename, 0);
    }

    fuzz_again(&disposition);
}


/* The same names in a header of ours are the same names. */

static void
fuzz_again(const upload_disposition_t *disposition)
{
    size_t                n, name, filename;
    upload_disposition_t  again;
    static unsigned char  out[2 * FUZZ_ESCAPED + 64], copy[FUZZ_ESCAPED],
                          file[FUZZ_ESCAPED];

    name = fuzz_escaped(copy, &disposition->name, 1);
    filename = 0;

    n = 17;
    memcpy(out, "form-data; name=\"", n);
    memcpy(out + n, copy, name);
    n += name;
    out[n++] = '"';

    if (disposition->is_file) {
        filename = fuzz_escaped(file, &disposition->filename, 1);

        memcpy(out + n, "; filename=\"", 12);
        n += 12;
        memcpy(out + n, file, filename);
        n += filename;
        out[n++] = '"';
    }

    fuzz_check(upload_disposition_parse(out, n, &again) == 0);
    fuzz_check(again.name.length == name);
    fuzz_check(memcmp(again.name.data, copy, name) == 0);
    fuzz_check(again.is_file == (filename != 0));
    fuzz_check(again.filename.length == filename);
    fuzz_check(filename == 0
               || memcmp(again.filename.data, file, filename) == 0);
}


static void
fuzz_content_type(fuzz_value_t *value)
{
    upload_text_t  boundary;

    if (upload_content_type_parse(value->data, value->length, &boundary)
        == 0)
    {
        fuzz_check(boundary.data != NULL);
        fuzz_within(value, &boundary);
    }
}


/* Whatever the name, it stays between the quotes and on its line. */

static size_t
fuzz_escaped(unsigned char *out, const upload_text_t *text, int quoted)
{
    size_t  i, n;

    n = quoted ? upload_name_escape(out, text->data, text->length)
               : upload_text_escape(out, text->data, text->length);

    fuzz_check(n >= text->length && n <= 3 * text->length + 1);

    for (i = 0; i < n; i++) {
        fuzz_check(out[i] >= 0x20 && out[i] != 0x7f);
        fuzz_check(!quoted || (out[i] != '"' && out[i] != '\\'));
    }

    fuzz_check(quoted || n > 2 || memcmp(out, "..", n) != 0 || n == 0);

    return n;
}


static void
fuzz_within(const fuzz_value_t *value, const upload_text_t *text)
{
    fuzz_check(text->data >= value->data);
    fuzz_check(text->data + text->length <= value->data + value->length);
}
