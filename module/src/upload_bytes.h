
/*
 * Integers as bytes, the lowest first, whatever the machine's order and
 * whatever the address.  Those that write return what is behind.
 */

#ifndef UPLOAD_BYTES_H
#define UPLOAD_BYTES_H


#include <stdint.h>


static inline uint32_t
upload_get32(const unsigned char *p)
{
    return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
           | (uint32_t) p[3] << 24;
}


static inline uint64_t
upload_get64(const unsigned char *p)
{
    return upload_get32(p) | (uint64_t) upload_get32(p + 4) << 32;
}


static inline unsigned char *
upload_put32(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char) value;
    p[1] = (unsigned char) (value >> 8);
    p[2] = (unsigned char) (value >> 16);
    p[3] = (unsigned char) (value >> 24);

    return p + 4;
}


static inline unsigned char *
upload_put64(unsigned char *p, uint64_t value)
{
    return upload_put32(upload_put32(p, (uint32_t) value),
                        (uint32_t) (value >> 32));
}


#endif
