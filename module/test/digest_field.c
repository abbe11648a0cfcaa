
/* The examples of RFC 9530, and the rules of RFC 9651 one by one. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/upload_digest_field.h"


/* RFC 9530, appendix B.1 and D: {"hello": "world"} with a line feed */

#define SHA256  ":RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
#define SHA512  ":YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCs" \
                "yRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"

#define EMPTY   ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


static int
parse(const char *value, upload_digest_field_t *field)
{
    int             rc;
    size_t          length;
    unsigned char  *copy;

    length = strlen(value);
    copy = malloc(length + !length);
    assert(copy != NULL);
    memcpy(copy, value, length);

    rc = upload_digest_field_parse(copy, length, UPLOAD_DIGEST_FIELD_ACTIVE,
                                   field);

    free(copy);

    return rc;
}


static void
examples(void)
{
    upload_digest_t        d;
    upload_digest_field_t  field;
    unsigned char          raw[UPLOAD_DIGEST_MAX_RAW];
    static const char      body[] = "{\"hello\": \"world\"}\n";

    assert(upload_digest_start(&d, 1U << UPLOAD_DIGEST_SHA256
                                   | 1U << UPLOAD_DIGEST_SHA512) == 0);
    assert(upload_digest_update(&d, body, sizeof(body) - 1) == 0);

    assert(parse("sha-256=" SHA256 ",sha-512=" SHA512, &field) == 0);
    assert(field.named == UPLOAD_DIGEST_FIELD_ACTIVE && !field.others);

    assert(upload_digest_raw(&d, UPLOAD_DIGEST_SHA256, raw) == 32);
    assert(memcmp(raw, field.digest[UPLOAD_DIGEST_SHA256], 32) == 0);
    assert(upload_digest_raw(&d, UPLOAD_DIGEST_SHA512, raw) == 64);
    assert(memcmp(raw, field.digest[UPLOAD_DIGEST_SHA512], 64) == 0);
}


/* All of them are well-formed and hold SHA256, and no other. */

static void
good(void)
{
    size_t                 i;
    upload_digest_field_t  field, expected;

    static const char     *values[] = {
        "  sha-256=" SHA256 "  ",
        "sha-256=" SHA256 " \t",
        "a, sha-256=" SHA256 "\t,\t*b.c_d-1",
        "sha-256=" SHA256 ";a; b=1;c=:AA==:;d=\"x,y\",other=?0",
        "a=(), b=(1 -2.5 \"\" tok :AA:;x ?1 @5 %\"a%c3%a9\");y=2,sha-256="
            SHA256,
        "a=1;q=\"\\\"\\\\;\",b=999999999999999,c=-999999999999.999,sha-256="
            SHA256,
        "sha-256=wrong, sha-256=" SHA256,
        "sha-256=" EMPTY ", sha-256=" SHA256,
        "sha-256=:AAAA:, sha-256=" SHA256,
        "sha-256;x, sha-256=" SHA256,
        "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:,adler=:AAAA:,sha-256=" SHA256,
        "t=A!#$%&'*+-.^_`|~:/9,sha-256=" SHA256,
        "sha-2=1,sha-2566=1,sha-256=" SHA256,
        "e=::,sha-256=" SHA256,
        "d=@-1,u=%\"%f0%9f%98%80\",sha-256=" SHA256,
        /* without padding, and with bits over */
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:"
    };

    assert(parse("sha-256=" SHA256, &expected) == 0);
    assert(expected.named == 1U << UPLOAD_DIGEST_SHA256);

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        if (parse(values[i], &field) != 0
            || field.named != expected.named
            || memcmp(field.digest, expected.digest, sizeof(field.digest)) != 0)
        {
            (void) fprintf(stderr, "refused: %s\n", values[i]);
            abort();
        }
    }

    assert(parse("", &field) == 0 && !field.named && !field.others);
    assert(parse("  ", &field) == 0);
    assert(parse("a", &field) == 0 && !field.named && field.others);
}


static void
bad(void)
{
    size_t                 i;
    upload_digest_field_t  field;

    static const char     *values[] = {
        ",", "a,", "a, ", "a,,b", ",a", "a b", "a;", "a;;b", "a =1", "a= 1",
        "\ta", "A=1", "1=1", "-a", "a=", "a=,b", "a=(", "a=(1", "a=(1,2)",
        "a=(1\t2)", "a=((1))", "a=(1\"x\")", "a=)",
        "a=\"", "a=\"x", "a=\"\\", "a=\"\\x\"", "a=\"\x7f\"", "a=\"\t\"",
        "a=\"\xc3\xa9\"",
        "a=?", "a=?2", "a=?true", "a=-", "a=--1", "a=+1", "a=1.", "a=.1",
        "a=1.2345", "a=1234567890123.1", "a=1234567890123456", "a=1.2.3",
        "a=@", "a=@1.5", "a=@x", "a=:", "a=:AA", "a=:A:", "a=:AAAAA:",
        "a=:AA==", "a=:AA===:", "a=:AAA==:", "a=:AAAA=:", "a=:=:", "a=:A=A=:",
        "a=:AA A:", "a=:AA-_:", "a=:AA\n:",
        "a=%", "a=%x", "a=%\"", "a=%\"x", "a=%\"%\"", "a=%\"%4\"",
        "a=%\"%C3%A9\"", "a=%\"%c3\"", "a=%\"%c3x\"", "a=%\"%c0%80\"",
        "a=%\"%e0%80%80\"", "a=%\"%ed%a0%80\"", "a=%\"%f4%90%80%80\"",
        "a=%\"%f5%80%80%80\"", "a=%\"%80\"", "a=%\"\xc3\xa9\"",
        "a=[", "a=~x", "a=tok\x01",
        "sha-256", "sha-256=?1", "sha-256=abc", "sha-256=\"abc\"",
        "sha-256=(" SHA256 ")", "sha-256=::", "sha-256=" SHA512,
        "sha-512=" SHA256, "sha-256=" SHA256 ",sha-256", "SHA-256=" SHA256,
        "sha-256=" SHA256 " x", "sha-256=" SHA256 "x",
        "sha-256=" SHA256 ",sha-512=:AAAA:"
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        if (parse(values[i], &field) != -1 || field.named) {
            (void) fprintf(stderr, "accepted: %s\n", values[i]);
            abort();
        }
    }
}


/* "abc": RFC 1321, A.5; RFC 3174, 7.3; and CRC-32 as zlib has it. */

static void
all(void)
{
    size_t                 i;
    upload_digest_t        d;
    upload_digest_field_t  field;

    static const char      value[] = "md5=:kAFQmDzST7DWlj99KOF/cg==:,"
                                     "sha=:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=:,"
                                     "crc32=:NSRBwg==:";

    static const char     *refused[] = {
        "md5=:kAFQmDzST7DWlj99KOF/:", "sha=" SHA256, "sha=1",
        "crc32=:NSRBwgA=:", "crc32=:NSRB:", "crc32=\"352441c2\""
    };

    assert(upload_digest_start(&d, UPLOAD_DIGEST_FIELD_ALL) == 0);
    assert(upload_digest_update(&d, "abc", 3) == 0);

    assert(upload_digest_field_parse((const unsigned char *) value,
                                     sizeof(value) - 1,
                                     UPLOAD_DIGEST_FIELD_ALL, &field) == 0);
    assert(field.named == (1U << UPLOAD_DIGEST_MD5 | 1U << UPLOAD_DIGEST_SHA1
                           | 1U << UPLOAD_DIGEST_CRC32));
    assert(!field.others && upload_digest_field_agrees(&field, &d));

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (field.named & 1U << i) {
            field.digest[i][3] ^= 1;
            assert(!upload_digest_field_agrees(&field, &d));
            field.digest[i][3] ^= 1;
        }
    }

    /* to those who know fewer they are others */

    assert(parse(value, &field) == 0 && !field.named && field.others);

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert(upload_digest_field_parse((const unsigned char *) refused[i],
                                         strlen(refused[i]),
                                         UPLOAD_DIGEST_FIELD_ALL, &field)
               == -1);
    }
}


int
main(void)
{
    examples();
    all();
    good();
    bad();

    return 0;
}
