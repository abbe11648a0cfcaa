
#include <string.h>

#include "upload_digest_field.h"


/* RFC 9651, section 3.3 */
#define UPLOAD_FIELD_INTEGER   15
#define UPLOAD_FIELD_WHOLE     12       /* digits of a decimal */
#define UPLOAD_FIELD_FRACTION  3


typedef struct {
    const unsigned char  *pos;
    const unsigned char  *end;
} upload_field_t;


/* Bytes that are expected of a character in UTF-8. */

typedef struct {
    unsigned             left;
    unsigned char        low;
    unsigned char        high;
} upload_field_utf8_t;


typedef enum {
    UPLOAD_FIELD_NONE,
    UPLOAD_FIELD_OTHER,       /* another type, or another length */
    UPLOAD_FIELD_DIGEST
} upload_field_member_t;


typedef struct {
    int                  is_bytes;
    size_t               length;
    unsigned char        data[UPLOAD_DIGEST_MAX_RAW];   /* its beginning */
} upload_field_item_t;


/* Of the registry, but for the last. */

static const struct {
    const char          *name;
    size_t               length;    /* of the digest */
} upload_field_algorithms[UPLOAD_DIGEST_COUNT] = {
    { "md5", MD5_DIGEST_LENGTH },
    { "sha", SHA_DIGEST_LENGTH },
    { "sha-256", SHA256_DIGEST_LENGTH },
    { "sha-512", SHA512_DIGEST_LENGTH },
    { "crc32", sizeof(uint32_t) }
};


static int upload_field_member(upload_field_t *f, unsigned known,
    upload_digest_field_t *field, upload_field_member_t *members);
static int upload_field_algorithm(const unsigned char *key, size_t length,
    unsigned known);
static upload_field_member_t upload_field_take(const upload_field_item_t *item,
    unsigned char *digest, size_t length);
static int upload_field_key(upload_field_t *f, const unsigned char **key,
    size_t *length);
static int upload_field_parameters(upload_field_t *f);
static int upload_field_list(upload_field_t *f);
static int upload_field_item(upload_field_t *f, upload_field_item_t *item);
static int upload_field_bytes(upload_field_t *f, upload_field_item_t *item);
static int upload_field_number(upload_field_t *f, int decimal);
static int upload_field_string(upload_field_t *f);
static int upload_field_token(upload_field_t *f);
static int upload_field_boolean(upload_field_t *f);
static int upload_field_display(upload_field_t *f);
static int upload_field_utf8(upload_field_utf8_t *u, unsigned ch);
static int upload_field_next(upload_field_t *f, unsigned char ch);
static void upload_field_spaces(upload_field_t *f, int tabs);
static int upload_field_hex(unsigned char ch);
static int upload_field_base64(unsigned char ch);


int
upload_digest_field_parse(const unsigned char *value, size_t length,
    unsigned known, upload_digest_field_t *field)
{
    unsigned               i, named;
    upload_field_t         f;
    upload_field_member_t  members[UPLOAD_DIGEST_COUNT];

    memset(field, 0, sizeof(upload_digest_field_t));

    f.pos = value;
    f.end = value + length;

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {
        members[i] = UPLOAD_FIELD_NONE;
    }

    upload_field_spaces(&f, 0);

    while (f.pos < f.end) {

        if (upload_field_member(&f, known, field, members) != 0) {
            return -1;
        }

        upload_field_spaces(&f, 1);

        if (f.pos == f.end) {
            break;
        }

        if (!upload_field_next(&f, ',')) {
            return -1;
        }

        upload_field_spaces(&f, 1);

        if (f.pos == f.end) {
            return -1;
        }
    }

    named = 0;

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (members[i] == UPLOAD_FIELD_OTHER) {
            return -1;
        }

        named |= (unsigned) (members[i] == UPLOAD_FIELD_DIGEST) << i;
    }

    field->named = named;

    return 0;
}


int
upload_digest_field_agrees(const upload_digest_field_t *field,
    const upload_digest_t *digest)
{
    int            length;
    unsigned       i;
    unsigned char  raw[UPLOAD_DIGEST_MAX_RAW];

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (!(field->named & 1U << i)) {
            continue;
        }

        length = upload_digest_raw(digest, i, raw);

        if (length < 0 || memcmp(raw, field->digest[i], (size_t) length) != 0) {
            return 0;
        }
    }

    return 1;
}


static int
upload_field_member(upload_field_t *f, unsigned known,
    upload_digest_field_t *field, upload_field_member_t *members)
{
    int                   algorithm;
    size_t                length;
    upload_field_item_t   item;
    const unsigned char  *key;

    item.is_bytes = 0;

    if (upload_field_key(f, &key, &length) != 0) {
        return -1;
    }

    /* a key alone is a boolean */

    if (upload_field_next(f, '=')) {

        if (f->pos < f->end && *f->pos == '(') {

            if (upload_field_list(f) != 0) {
                return -1;
            }

        } else if (upload_field_item(f, &item) != 0) {
            return -1;
        }
    }

    if (upload_field_parameters(f) != 0) {
        return -1;
    }

    algorithm = upload_field_algorithm(key, length, known);

    if (algorithm < 0) {
        field->others = 1;
        return 0;
    }

    members[algorithm] = upload_field_take(&item, field->digest[algorithm],
                                  upload_field_algorithms[algorithm].length);

    return 0;
}


/* -1: none of those that are known. */

static int
upload_field_algorithm(const unsigned char *key, size_t length, unsigned known)
{
    unsigned     i;
    const char  *name;

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        name = upload_field_algorithms[i].name;

        if (known & 1U << i && strlen(name) == length
            && memcmp(key, name, length) == 0)
        {
            return (int) i;
        }
    }

    return -1;
}


static upload_field_member_t
upload_field_take(const upload_field_item_t *item, unsigned char *digest,
    size_t length)
{
    if (!item->is_bytes || item->length != length) {
        return UPLOAD_FIELD_OTHER;
    }

    memcpy(digest, item->data, length);

    return UPLOAD_FIELD_DIGEST;
}


static int
upload_field_key(upload_field_t *f, const unsigned char **key, size_t *length)
{
    unsigned char  ch;

    *key = f->pos;

    while (f->pos < f->end) {
        ch = *f->pos;

        if (!((ch >= 'a' && ch <= 'z') || ch == '*'
              || (f->pos > *key
                  && ((ch >= '0' && ch <= '9') || ch == '_' || ch == '-'
                      || ch == '.'))))
        {
            break;
        }

        f->pos++;
    }

    *length = (size_t) (f->pos - *key);

    return *length ? 0 : -1;
}


static int
upload_field_parameters(upload_field_t *f)
{
    size_t                length;
    upload_field_item_t   item;
    const unsigned char  *key;

    while (upload_field_next(f, ';')) {

        upload_field_spaces(f, 0);

        if (upload_field_key(f, &key, &length) != 0) {
            return -1;
        }

        if (upload_field_next(f, '=') && upload_field_item(f, &item) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
upload_field_list(upload_field_t *f)
{
    upload_field_item_t  item;

    f->pos++;

    for ( ;; ) {

        upload_field_spaces(f, 0);

        if (upload_field_next(f, ')')) {
            return 0;
        }

        if (upload_field_item(f, &item) != 0
            || upload_field_parameters(f) != 0)
        {
            return -1;
        }

        if (f->pos == f->end || (*f->pos != ' ' && *f->pos != ')')) {
            return -1;
        }
    }
}


/* Bare: without its parameters. */

static int
upload_field_item(upload_field_t *f, upload_field_item_t *item)
{
    unsigned char  ch;

    item->is_bytes = 0;

    if (f->pos == f->end) {
        return -1;
    }

    ch = *f->pos;

    switch (ch) {

    case ':':
        return upload_field_bytes(f, item);

    case '"':
        return upload_field_string(f);

    case '?':
        return upload_field_boolean(f);

    case '%':
        return upload_field_display(f);

    case '@':
        f->pos++;
        return upload_field_number(f, 0);

    default:
        break;
    }

    if (ch == '-' || (ch >= '0' && ch <= '9')) {
        return upload_field_number(f, 1);
    }

    return upload_field_token(f);
}


/*
 * As section 4.2.7 asks, padding may be missing and the bits that are over
 * need not be zero; what has no meaning in base64 is refused.
 */

static int
upload_field_bytes(upload_field_t *f, upload_field_item_t *item)
{
    int       value;
    size_t    digits, padding;
    uint32_t  bits;

    f->pos++;

    bits = 0;
    digits = 0;
    padding = 0;
    item->length = 0;

    for ( /* void */ ; f->pos < f->end && *f->pos != ':'; f->pos++) {

        if (*f->pos == '=') {
            padding++;
            continue;
        }

        value = upload_field_base64(*f->pos);

        if (value < 0 || padding) {
            return -1;
        }

        bits = (bits << 6 | (uint32_t) value) & 0xfff;

        /* every digit but the first of four completes a byte */

        if (digits++ % 4 == 0) {
            continue;
        }

        if (item->length < sizeof(item->data)) {
            item->data[item->length] = (unsigned char)
                                       (bits >> (2 * (3 - (digits - 1) % 4)));
        }

        item->length++;
    }

    if (!upload_field_next(f, ':')
        || digits % 4 == 1
        || padding > (4 - digits % 4) % 4)
    {
        return -1;
    }

    item->is_bytes = 1;

    return 0;
}


static int
upload_field_number(upload_field_t *f, int decimal)
{
    size_t                digits;
    const unsigned char  *start;

    (void) upload_field_next(f, '-');

    start = f->pos;

    while (f->pos < f->end && *f->pos >= '0' && *f->pos <= '9') {
        f->pos++;
    }

    digits = (size_t) (f->pos - start);

    if (digits == 0 || digits > UPLOAD_FIELD_INTEGER) {
        return -1;
    }

    if (!upload_field_next(f, '.')) {
        return 0;
    }

    if (!decimal || digits > UPLOAD_FIELD_WHOLE) {
        return -1;
    }

    start = f->pos;

    while (f->pos < f->end && *f->pos >= '0' && *f->pos <= '9') {
        f->pos++;
    }

    digits = (size_t) (f->pos - start);

    return (digits == 0 || digits > UPLOAD_FIELD_FRACTION) ? -1 : 0;
}


static int
upload_field_string(upload_field_t *f)
{
    unsigned char  ch;

    f->pos++;

    while (f->pos < f->end) {
        ch = *f->pos++;

        if (ch == '"') {
            return 0;
        }

        if (ch < 0x20 || ch > 0x7e) {
            return -1;
        }

        if (ch == '\\' && !upload_field_next(f, '"')
            && !upload_field_next(f, '\\'))
        {
            return -1;
        }
    }

    return -1;
}


static int
upload_field_token(upload_field_t *f)
{
    unsigned char         ch;
    const unsigned char  *start;

    start = f->pos;

    while (f->pos < f->end) {
        ch = *f->pos;

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || ch == '*'
              || (f->pos > start
                  && ((ch >= '0' && ch <= '9')
                      || (ch && strchr("!#$%&'+-.^_`|~:/", ch))))))
        {
            break;
        }

        f->pos++;
    }

    return (f->pos > start) ? 0 : -1;
}


static int
upload_field_boolean(upload_field_t *f)
{
    f->pos++;

    return (upload_field_next(f, '0') || upload_field_next(f, '1')) ? 0 : -1;
}


static int
upload_field_display(upload_field_t *f)
{
    int                  high, low;
    unsigned             ch;
    upload_field_utf8_t  u;

    f->pos++;

    if (!upload_field_next(f, '"')) {
        return -1;
    }

    memset(&u, 0, sizeof(upload_field_utf8_t));

    while (f->pos < f->end) {
        ch = *f->pos++;

        if (ch == '"') {
            return u.left ? -1 : 0;
        }

        if (ch < 0x20 || ch > 0x7e) {
            return -1;
        }

        if (ch == '%') {

            if (f->end - f->pos < 2) {
                return -1;
            }

            high = upload_field_hex(f->pos[0]);
            low = upload_field_hex(f->pos[1]);

            if (high < 0 || low < 0) {
                return -1;
            }

            ch = (unsigned) (high * 16 + low);
            f->pos += 2;
        }

        if (upload_field_utf8(&u, ch) != 0) {
            return -1;
        }
    }

    return -1;
}


/* One byte more, RFC 3629; the second byte of some has narrower bounds. */

static int
upload_field_utf8(upload_field_utf8_t *u, unsigned ch)
{
    if (u->left) {

        if (ch < u->low || ch > u->high) {
            return -1;
        }

        u->left--;
        u->low = 0x80;
        u->high = 0xbf;

        return 0;
    }

    u->low = (ch == 0xe0) ? 0xa0 : (ch == 0xf0) ? 0x90 : 0x80;
    u->high = (ch == 0xed) ? 0x9f : (ch == 0xf4) ? 0x8f : 0xbf;

    if (ch < 0x80) {
        return 0;
    }

    if (ch < 0xc2 || ch > 0xf4) {
        return -1;
    }

    u->left = (ch < 0xe0) ? 1 : (ch < 0xf0) ? 2 : 3;

    return 0;
}


/* Takes a character when it is the next one. */

static int
upload_field_next(upload_field_t *f, unsigned char ch)
{
    if (f->pos == f->end || *f->pos != ch) {
        return 0;
    }

    f->pos++;

    return 1;
}


static void
upload_field_spaces(upload_field_t *f, int tabs)
{
    while (f->pos < f->end && (*f->pos == ' ' || (tabs && *f->pos == '\t'))) {
        f->pos++;
    }
}


/* Lower-case only, RFC 9651, section 4.2.10. */

static int
upload_field_hex(unsigned char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    if (ch >= 'a' && ch <= 'f') {
        return ch - 'a' + 10;
    }

    return -1;
}


static int
upload_field_base64(unsigned char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    return (ch == '+') ? 62 : (ch == '/') ? 63 : -1;
}
