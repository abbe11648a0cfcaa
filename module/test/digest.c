
/* Known answers: FIPS 180-4, RFC 1321, and the check value of CRC-32. */

#include <assert.h>
#include <string.h>

#include "../src/upload_digest.h"


#define ALL  ((1U << UPLOAD_DIGEST_COUNT) - 1)


static const char  *abc[UPLOAD_DIGEST_COUNT] = {
    "900150983cd24fb0d6963f7d28e17f72",
    "a9993e364706816aba3e25717850c26c9cd0d89d",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "352441c2"
};

static const char  *million[UPLOAD_DIGEST_COUNT] = {
    "7707d6ae4e027c70eea2a935c2296f21",
    "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
    "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
    "dc25bfbc"
};

static const char  *nothing[UPLOAD_DIGEST_COUNT] = {
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "00000000"
};


static void
expect(const upload_digest_t *d, const char *const *answers)
{
    int            n;
    unsigned       i;
    unsigned char  hex[UPLOAD_DIGEST_MAX_HEX];

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {
        n = upload_digest_hex(d, i, hex);

        assert(n == (int) strlen(answers[i]));
        assert(memcmp(hex, answers[i], (size_t) n) == 0);
    }
}


/* A saved state goes on where it was, and is of the documented length. */

static void
saved(void)
{
    size_t           n, i, length;
    unsigned char    state[UPLOAD_DIGEST_MAX_STATE], piece[1000];
    upload_digest_t  d, other;

    memset(piece, 'a', sizeof(piece));

    assert(upload_digest_start(&d, ALL) == 0);

    for (n = 0; n < 1000; n++) {
        assert(upload_digest_update(&d, piece, sizeof(piece)) == 0);

        length = upload_digest_save(&d, state);
        assert(length == 12 + 16 + 20 + 32 + 64 + 4
                         + 3 * (d.length % 64) + d.length % 128);

        memset(&other, 0xff, sizeof(other));

        for (i = 0; i < length; i += 1 + n % 16) {
            assert(upload_digest_restore(&other, state, i) == -1);
        }

        assert(upload_digest_restore(&other, state, length + 1) == -1);
        assert(other.wanted == ~0U);
        assert(upload_digest_restore(&other, state, length) == 0);

        d = other;
    }

    expect(&d, million);

    state[0] = 2;
    assert(upload_digest_restore(&other, state, length) == -1);
}


/* A length that does not fit into 32 bits, nor do its bits. */

static void
terabyte(void)
{
    size_t           length;
    unsigned char    state[UPLOAD_DIGEST_MAX_STATE];
    upload_digest_t  d;

    assert(upload_digest_start(&d, ALL) == 0);
    assert(upload_digest_update(&d, "12345", 5) == 0);

    length = upload_digest_save(&d, state);
    state[4 + 5] = 1;

    assert(upload_digest_restore(&d, state, length) == 0);
    assert(d.length == ((uint64_t) 1 << 40) + 5);
    assert(d.md5.Nh == 1U << 11 && d.md5.Nl == 40);
    assert(d.sha1.Nh == 1U << 11 && d.sha1.Nl == 40);
    assert(d.sha256.Nh == 1U << 11 && d.sha256.Nl == 40);
    assert(d.sha512.Nh == 0 && d.sha512.Nl == ((uint64_t) 1 << 43) + 40);

    /* 2^61 bytes are 2^64 bits */
    state[4 + 7] = 0x20;
    assert(upload_digest_restore(&d, state, length) == -1);

    /* one byte fewer; only crc32, so that no block has to match */
    assert(upload_digest_start(&d, 1U << UPLOAD_DIGEST_CRC32) == 0);
    length = upload_digest_save(&d, state);
    memset(state + 4, 0xff, 8);
    state[4 + 7] = 0x1f;
    assert(upload_digest_restore(&d, state, length) == 0);
    assert(upload_digest_update(&d, "x", 1) == -1);

    state[4] = 0xfe;
    assert(upload_digest_restore(&d, state, length) == 0);
    assert(upload_digest_update(&d, "xy", 2) == -1);
    assert(upload_digest_update(&d, "x", 1) == 0);
    assert(upload_digest_save(&d, state) == length);
    assert(upload_digest_restore(&d, state, length) == 0);
}


static void
unwanted(void)
{
    unsigned char    out[UPLOAD_DIGEST_MAX_HEX];
    upload_digest_t  d;

    assert(upload_digest_start(&d, 1U << UPLOAD_DIGEST_COUNT) == -1);
    assert(upload_digest_start(&d, 1U << UPLOAD_DIGEST_SHA256) == 0);

    assert(upload_digest_raw(&d, UPLOAD_DIGEST_MD5, out) == -1);
    assert(upload_digest_hex(&d, UPLOAD_DIGEST_CRC32, out) == -1);
    assert(upload_digest_hex(&d, UPLOAD_DIGEST_COUNT, out) == -1);
    assert(upload_digest_raw(&d, UPLOAD_DIGEST_SHA256, out) == 32);
}


int
main(void)
{
    upload_digest_t  d;

    assert(upload_digest_start(&d, ALL) == 0);
    expect(&d, nothing);

    assert(upload_digest_update(&d, NULL, 0) == 0);
    assert(upload_digest_update(&d, "ab", 2) == 0);
    assert(upload_digest_update(&d, NULL, 0) == 0);
    assert(upload_digest_update(&d, "c", 1) == 0);

    expect(&d, abc);
    expect(&d, abc);

    saved();
    terabyte();
    unwanted();

    return 0;
}
