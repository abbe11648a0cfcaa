
/* Content-Range, session ids and the text of sets, by examples. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/upload_ranges.h"


#define MAX_63  "9223372036854775807"


static int
parse(const char *value, upload_range_t *range, int64_t *total)
{
    int             rc;
    size_t          length;
    unsigned char  *copy;

    /* a copy of its own, so that reads beyond it are seen */

    length = strlen(value);
    copy = malloc(length + !length);
    assert(copy != NULL);
    memcpy(copy, value, length);

    rc = upload_content_range_parse(copy, length, range, total);

    free(copy);

    return rc;
}


static void
content_range(void)
{
    size_t              i;
    int64_t             total;
    upload_range_t      range;

    static const char  *good[] = {
        "bytes 2-5/10", "BYTES 2-5/10", "bytes=2-5/10", "2-5/10",
        "bytes 002-05/0010"
    };

    static const char  *bad[] = {
        "", "bytes", "bytes ", "bytes 2", "bytes 2-", "bytes 2-5",
        "bytes 2-5/", "bytes 2-5/*", "bytes */10", "bytes 5-2/10",
        "bytes 2-10/10",
        "bytes 0-0/0", "bytes -1-5/10", "bytes 2-5/10 ", " bytes 2-5/10",
        "bytes  2-5/10", "bytes\t2-5/10", "bytes:2-5/10", "byte 2-5/10",
        "bytes 2 - 5/10", "bytes +2-5/10", "bytes 0x2-5/10", "2-5/10,7-8/10",
        "bytes 2-5/9223372036854775808", "bytes 0-" MAX_63 "/" MAX_63,
        "bytes 18446744073709551618-5/10", "bytes 2-5/18446744073709551626",
        "bytes 99999999999999999999-99999999999999999999/99999999999999999999"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert(parse(good[i], &range, &total) == 0);
        assert(range.start == 2 && range.end == 6 && total == 10);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert(parse(bad[i], &range, &total) == -1);
    }

    assert(parse("bytes 9223372036854775806-9223372036854775806/" MAX_63,
                 &range, &total) == 0);
    assert(range.start == INT64_MAX - 1 && range.end == INT64_MAX
           && total == INT64_MAX);

    /* what follows is not read, even when it would fit */
    assert(upload_content_range_parse((const unsigned char *) "0-1/20", 5,
                                      &range, &total) == 0 && total == 2);
}


static void
session_id(void)
{
    size_t         i;
    unsigned char  id[130];

    memset(id, 'x', sizeof(id));

    assert(!upload_session_id_valid(id, 0));
    assert(upload_session_id_valid(id, 1));
    assert(upload_session_id_valid(id, 128));
    assert(!upload_session_id_valid(id, 129));

    for (i = 0; i < 256; i++) {
        id[1] = (unsigned char) i;
        assert(upload_session_id_valid(id, 2)
               == (i != 0 && strchr("0123456789-_abcdefghijklmnopqrstuvwxyz"
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", (int) i)
                             != NULL));
    }
}


static void
text(const upload_ranges_t *set, int64_t total, const char *expected)
{
    size_t         n;
    unsigned char  out[8 * UPLOAD_RANGE_TEXT];

    n = upload_ranges_text(set, total, out);

    assert(n == strlen(expected) && memcmp(out, expected, n) == 0);
    assert(n <= set->count * UPLOAD_RANGE_TEXT);
}


static void
sets(void)
{
    upload_range_t   gap;
    upload_ranges_t  set;

    memset(&set, 0, sizeof(set));

    text(&set, 8, "");
    assert(upload_ranges_gap(&set, 0, 8, &gap) == 1);
    assert(gap.start == 0 && gap.end == 8);

    assert(upload_ranges_add(&set, 6, 8) == 0);
    assert(upload_ranges_add(&set, 0, 2) == 0);
    text(&set, 8, "0-1/8,6-7/8");

    assert(upload_ranges_prefix(&set) == 2 && upload_ranges_bytes(&set) == 4);
    assert(upload_ranges_gap(&set, 0, 8, &gap) == 1);
    assert(gap.start == 2 && gap.end == 6);
    assert(upload_ranges_gap(&set, 3, 5, &gap) == 1);
    assert(gap.start == 3 && gap.end == 5);
    assert(upload_ranges_gap(&set, 6, 8, &gap) == 0);
    assert(upload_ranges_gap(&set, 5, 5, &gap) == 0);

    assert(upload_ranges_add(&set, 5, 5) == 0);
    assert(upload_ranges_add(&set, -1, 5) == -1);
    assert(upload_ranges_remove(&set, -1, 5) == -1);
    text(&set, -1, "0-1/*,6-7/*");

    assert(upload_ranges_add(&set, 2, 6) == 0);
    text(&set, 8, "0-7/8");

    assert(upload_ranges_remove(&set, 3, 4) == 0);
    text(&set, 8, "0-2/8,4-7/8");
    assert(upload_ranges_remove(&set, 0, 8) == 0);
    assert(set.count == 0 && upload_ranges_prefix(&set) == 0);

    assert(upload_ranges_add(&set, INT64_MAX - 1, INT64_MAX) == 0);
    assert(upload_ranges_add(&set, 0, INT64_MAX - 2) == 0);
    text(&set, INT64_MAX, "0-9223372036854775804/" MAX_63
         ",9223372036854775806-9223372036854775806/" MAX_63);
    assert(upload_ranges_add(&set, 1, INT64_MAX) == 0);
    assert(set.count == 1 && upload_ranges_bytes(&set) == INT64_MAX);

    upload_ranges_free(&set);
}


/* Every second piece first, so that the set is as long as it gets. */

static void
many(void)
{
    int64_t          i;
    upload_ranges_t  set;

    memset(&set, 0, sizeof(set));

    for (i = 0; i < 100000; i += 2) {
        assert(upload_ranges_add(&set, i, i + 1) == 0);
    }

    assert(set.count == 50000 && upload_ranges_bytes(&set) == 50000);

    for (i = 99999; i > 0; i -= 2) {
        assert(upload_ranges_add(&set, i, i + 1) == 0);
    }

    assert(set.count == 1 && upload_ranges_prefix(&set) == 100000);

    upload_ranges_free(&set);
}


int
main(void)
{
    content_range();
    session_id();
    sets();
    many();

    return 0;
}
