
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>
#include <strings.h>

#include "upload_header.h"


typedef struct {
    unsigned char  *pos;
    unsigned char  *end;
    upload_text_t   name;
    upload_text_t   value;
    int             quoted;
} upload_parameter_t;


static int upload_disposition_read(unsigned char *value, size_t length,
    upload_disposition_t *disposition, upload_text_t *type);
static upload_text_t upload_header_type(upload_parameter_t *p);
static int upload_parameter_next(upload_parameter_t *p);
static int upload_parameter_quoted(upload_parameter_t *p);
static void upload_parameter_token(upload_parameter_t *p);
static int upload_parameter_take(upload_text_t *slot, upload_text_t *value);
static int upload_boundary_plain(upload_parameter_t *p);
static int upload_boundary_named(upload_text_t *text, int assigned);
static size_t upload_space(const unsigned char *p, size_t length);
static int upload_extended_decode(upload_text_t *value);
static int upload_percent_decode(upload_text_t *value, int latin1);
static int upload_utf8_valid(const unsigned char *p, size_t length);
static void upload_path_strip(upload_text_t *name);
static int upload_hex(unsigned char ch);
static unsigned char *upload_percent_encode(unsigned char *out,
    unsigned char ch);


int
upload_text_is(const unsigned char *data, size_t length, const char *word)
{
    return length == strlen(word)
           && strncasecmp((const char *) data, word, length) == 0;
}


void
upload_text_trim(upload_text_t *text)
{
    size_t  n;

    while ((n = upload_space(text->data, text->length)) != 0) {
        text->data += n;
        text->length -= n;
    }

    for (n = 1; n <= 3 && n <= text->length; n++) {

        if (upload_space(text->data + text->length - n, n) == n) {
            text->length -= n;
            n = 0;
        }
    }
}


int
upload_content_type_parse(unsigned char *value, size_t length,
    upload_text_t *boundary)
{
    int                 rc;
    upload_text_t       type;
    upload_parameter_t  p;

    p.pos = value;
    p.end = value + length;

    memset(boundary, 0, sizeof(upload_text_t));

    type = upload_header_type(&p);

    if (!upload_text_is(type.data, type.length, "multipart/form-data")) {
        return 1;
    }

    /*
     * The value goes on to the target as it is: whatever another parser might
     * read another boundary from is refused, for with that boundary the value
     * of a field could pass for a form of its own.  Some take the first
     * "boundary" that they find in the text and what follows the next "=",
     * others the last "boundary=".
     */

    while ((rc = upload_parameter_next(&p)) == 1) {

        if (upload_text_is(p.name.data, p.name.length, "boundary")) {

            if (!upload_boundary_plain(&p)
                || upload_parameter_take(boundary, &p.value) < 0)
            {
                return -1;
            }

        } else if (upload_boundary_named(&p.name, 0)
                   || upload_boundary_named(&p.value, 0))
        {
            return -1;
        }
    }

    return (rc == 0 && boundary->data) ? 0 : -1;
}


int
upload_disposition_parse(unsigned char *value, size_t length,
    upload_disposition_t *disposition)
{
    upload_text_t  type;

    if (upload_disposition_read(value, length, disposition, &type) != 0
        || !upload_text_is(type.data, type.length, "form-data")
        || disposition->name.data == NULL)
    {
        return -1;
    }

    return 0;
}


int
upload_attachment_parse(unsigned char *value, size_t length,
    upload_disposition_t *disposition)
{
    upload_text_t  type;

    if (upload_disposition_read(value, length, disposition, &type) != 0
        || (!upload_text_is(type.data, type.length, "attachment")
            && !upload_text_is(type.data, type.length, "form-data")))
    {
        return -1;
    }

    return 0;
}


static int
upload_disposition_read(unsigned char *value, size_t length,
    upload_disposition_t *disposition, upload_text_t *type)
{
    int                 rc;
    upload_text_t       extended;
    upload_parameter_t  p;

    p.pos = value;
    p.end = value + length;

    memset(disposition, 0, sizeof(upload_disposition_t));
    memset(&extended, 0, sizeof(upload_text_t));

    *type = upload_header_type(&p);

    while ((rc = upload_parameter_next(&p)) == 1) {

        if (upload_text_is(p.name.data, p.name.length, "name")) {
            rc = upload_parameter_take(&disposition->name, &p.value);

        } else if (upload_text_is(p.name.data, p.name.length, "filename")) {
            rc = upload_parameter_take(&disposition->filename, &p.value);

        } else if (upload_text_is(p.name.data, p.name.length, "filename*")) {
            rc = upload_parameter_take(&extended, &p.value);
        }

        if (rc < 0) {
            return -1;
        }
    }

    if (rc < 0) {
        return -1;
    }

    if (extended.data) {

        /* RFC 6266: the extended form wins, unless it cannot be read */

        if (upload_extended_decode(&extended) == 0) {
            disposition->filename = extended;

        } else if (disposition->filename.data == NULL) {
            return -1;
        }
    }

    disposition->is_file = (disposition->filename.length != 0);

    if (disposition->is_file) {
        upload_path_strip(&disposition->filename);
    }

    return 0;
}


size_t
upload_text_escape(unsigned char *out, const unsigned char *data,
    size_t length)
{
    size_t          i;
    unsigned char  *start;

    start = out;

    if ((length == 1 && data[0] == '.')
        || (length == 2 && data[0] == '.' && data[1] == '.'))
    {
        for (i = 0; i < length; i++) {
            out = upload_percent_encode(out, data[i]);
        }

        return out - start;
    }

    for (i = 0; i < length; i++) {

        if (data[i] < 0x20 || data[i] == 0x7f) {
            out = upload_percent_encode(out, data[i]);

        } else {
            *out++ = data[i];
        }
    }

    return out - start;
}


size_t
upload_name_escape(unsigned char *out, const unsigned char *data,
    size_t length)
{
    size_t          i;
    unsigned char  *start;

    start = out;

    for (i = 0; i < length; i++) {

        if (data[i] < 0x20 || data[i] == 0x7f || data[i] == '"'
            || data[i] == '\\')
        {
            out = upload_percent_encode(out, data[i]);

        } else {
            *out++ = data[i];
        }
    }

    return out - start;
}


static upload_text_t
upload_header_type(upload_parameter_t *p)
{
    upload_text_t  type;

    while (p->pos < p->end && (*p->pos == ' ' || *p->pos == '\t')) {
        p->pos++;
    }

    type.data = p->pos;

    while (p->pos < p->end && *p->pos != ';' && *p->pos != ' '
           && *p->pos != '\t')
    {
        p->pos++;
    }

    type.length = p->pos - type.data;

    return type;
}


/* Returns 1 with the next parameter, 0 at the end, -1 when it is malformed. */

static int
upload_parameter_next(upload_parameter_t *p)
{
    while (p->pos < p->end && (*p->pos == ' ' || *p->pos == '\t')) {
        p->pos++;
    }

    if (p->pos == p->end) {
        return 0;
    }

    if (*p->pos++ != ';') {
        return -1;
    }

    while (p->pos < p->end && (*p->pos == ' ' || *p->pos == '\t')) {
        p->pos++;
    }

    if (p->pos == p->end) {
        /* a lone semicolon at the end does no harm */
        return 0;
    }

    p->name.data = p->pos;

    while (p->pos < p->end && *p->pos != '=') {

        if (*p->pos <= 0x20 || *p->pos == ';' || *p->pos == '"') {
            return -1;
        }

        p->pos++;
    }

    p->name.length = p->pos - p->name.data;

    if (p->pos == p->end || p->name.length == 0) {
        return -1;
    }

    p->pos++;

    p->quoted = (p->pos < p->end && *p->pos == '"');

    if (p->quoted) {
        return upload_parameter_quoted(p);
    }

    upload_parameter_token(p);

    return 1;
}


/*
 * A backslash quotes only a quote or another backslash: browsers that sent
 * DOS paths did not double theirs.
 */

static int
upload_parameter_quoted(upload_parameter_t *p)
{
    unsigned char  *out;

    out = ++p->pos;
    p->value.data = out;

    for ( ;; ) {

        if (p->pos == p->end) {
            return -1;
        }

        if (*p->pos == '"') {
            break;
        }

        if (*p->pos == '\\' && p->pos + 1 < p->end
            && (p->pos[1] == '"' || p->pos[1] == '\\'))
        {
            p->pos++;
        }

        *out++ = *p->pos++;
    }

    p->pos++;
    p->value.length = out - p->value.data;

    return 1;
}


static void
upload_parameter_token(upload_parameter_t *p)
{
    p->value.data = p->pos;

    while (p->pos < p->end && *p->pos != ';') {
        p->pos++;
    }

    p->value.length = p->pos - p->value.data;

    while (p->value.length
           && (p->value.data[p->value.length - 1] == ' '
               || p->value.data[p->value.length - 1] == '\t'))
    {
        p->value.length--;
    }
}


static int
upload_parameter_take(upload_text_t *slot, upload_text_t *value)
{
    if (slot->data) {
        return -1;
    }

    *slot = *value;

    return 1;
}


/* Whether every parser takes it for the boundary, and the same one. */

static int
upload_boundary_plain(upload_parameter_t *p)
{
    size_t  i;

    /* parsers disagree on where these end a value, some even within quotes */

    for (i = 0; i < p->value.length; i++) {

        if (p->value.data[i] == ','
            || (!p->quoted && memchr(" \t()", p->value.data[i], 4)))
        {
            return 0;
        }
    }

    return upload_boundary_named(&p->value,
                                 memcmp(p->name.data, "boundary", 8) == 0)
           == 0;
}


/* Whether the text has the word; or has it with a '=' behind it. */

static int
upload_boundary_named(upload_text_t *text, int assigned)
{
    size_t  i, n;

    for (i = 0; i + 8 <= text->length; i++) {

        if (strncasecmp((char *) text->data + i, "boundary", 8) != 0) {
            continue;
        }

        for (n = i + 8; n < text->length && text->data[n] == ' '; n++) {
            /* void */
        }

        if (!assigned || (n < text->length && text->data[n] == '=')) {
            return 1;
        }
    }

    return 0;
}


/* Length of the white space character that the text begins with; or 0. */

static size_t
upload_space(const unsigned char *p, size_t length)
{
    if (length >= 1 && p[0] == ' ') {
        return 1;
    }

    /* U+0085, U+00A0 */

    if (length >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0)) {
        return 2;
    }

    if (length < 3) {
        return 0;
    }

    /* U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 */

    if ((p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80)
        || (p[0] == 0xe2 && p[1] == 0x80
            && (p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf))
        || (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f)
        || (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80))
    {
        return 3;
    }

    return 0;
}


/* charset'language'value, RFC 8187 */

static int
upload_extended_decode(upload_text_t *value)
{
    int             latin1;
    unsigned char  *quote, *end;

    end = value->data + value->length;

    quote = memchr(value->data, '\'', value->length);
    if (quote == NULL) {
        return -1;
    }

    if (upload_text_is(value->data, quote - value->data, "utf-8")) {
        latin1 = 0;

    } else if (upload_text_is(value->data, quote - value->data, "iso-8859-1")) {
        latin1 = 1;

    } else {
        return -1;
    }

    quote++;

    quote = memchr(quote, '\'', end - quote);
    if (quote == NULL) {
        return -1;
    }

    value->data = quote + 1;
    value->length = end - value->data;

    if (upload_percent_decode(value, latin1) != 0) {
        return -1;
    }

    return upload_utf8_valid(value->data, value->length) ? 0 : -1;
}


static int
upload_percent_decode(upload_text_t *value, int latin1)
{
    int             high, low;
    unsigned char  *p, *end, *out, ch;

    p = value->data;
    end = p + value->length;
    out = p;

    while (p < end) {

        ch = *p++;

        if (ch >= 0x80) {
            return -1;
        }

        if (ch == '%') {

            if (end - p < 2) {
                return -1;
            }

            high = upload_hex(p[0]);
            low = upload_hex(p[1]);

            if (high < 0 || low < 0) {
                return -1;
            }

            ch = (unsigned char) (high * 16 + low);
            p += 2;

            if (latin1 && ch >= 0x80) {
                *out++ = (unsigned char) (0xc0 | (ch >> 6));
                ch = (unsigned char) (0x80 | (ch & 0x3f));
            }
        }

        *out++ = ch;
    }

    value->length = out - value->data;

    return 0;
}


/* RFC 3629 */

static int
upload_utf8_valid(const unsigned char *p, size_t length)
{
    size_t         i, n, left;
    unsigned long  code, least;

    for (i = 0; i < length; i += n) {

        if (p[i] < 0x80) {
            n = 1;
            continue;
        }

        if (p[i] >= 0xc2 && p[i] < 0xe0) {
            n = 2;
            code = p[i] & 0x1f;
            least = 0x80;

        } else if (p[i] >= 0xe0 && p[i] < 0xf0) {
            n = 3;
            code = p[i] & 0x0f;
            least = 0x800;

        } else if (p[i] >= 0xf0 && p[i] < 0xf5) {
            n = 4;
            code = p[i] & 0x07;
            least = 0x10000;

        } else {
            return 0;
        }

        if (n > length - i) {
            return 0;
        }

        for (left = 1; left < n; left++) {

            if ((p[i + left] & 0xc0) != 0x80) {
                return 0;
            }

            code = (code << 6) | (p[i + left] & 0x3f);
        }

        if (code < least || code > 0x10ffff
            || (code >= 0xd800 && code <= 0xdfff))
        {
            return 0;
        }
    }

    return 1;
}


static void
upload_path_strip(upload_text_t *name)
{
    size_t  i;

    for (i = name->length; i > 0; i--) {

        if (name->data[i - 1] == '/' || name->data[i - 1] == '\\') {
            break;
        }
    }

    name->data += i;
    name->length -= i;
}


static int
upload_hex(unsigned char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    if (ch >= 'a' && ch <= 'f') {
        return ch - 'a' + 10;
    }

    return -1;
}


static unsigned char *
upload_percent_encode(unsigned char *out, unsigned char ch)
{
    static const char  hex[] = "0123456789ABCDEF";

    *out++ = '%';
    *out++ = (unsigned char) hex[ch >> 4];
    *out++ = (unsigned char) hex[ch & 0xf];

    return out;
}
