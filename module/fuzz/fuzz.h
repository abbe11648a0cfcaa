
/* What the fuzz targets have in common. */

#ifndef FUZZ_H
#define FUZZ_H


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define fuzz_check(condition)                                                 \
    do {                                                                      \
        if (!(condition)) {                                                   \
            (void) fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                           #condition);                                       \
            abort();                                                          \
        }                                                                     \
    } while (0)


/*
 * The entrance that libFuzzer and replay.c call.  The input is a block of its
 * own, so that a read beyond it is seen.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* A block of its own, for what writes, or must not be read beyond. */

static inline unsigned char *
fuzz_copy(const unsigned char *data, size_t size)
{
    unsigned char  *copy;

    copy = malloc(size + !size);
    fuzz_check(copy != NULL);

    if (size) {
        memcpy(copy, data, size);
    }

    return copy;
}


#endif
