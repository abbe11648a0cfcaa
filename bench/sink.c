/*
 * The least that a server can do with an upload: it reads the head, then receives and writes 1 MiB at a time, with
 * one digest on the way if asked for, and answers 200. One process, one thread, one connection at a time.
 *
 * Usage: sink PORT STORE none|crc32|sha256|md5 [ADDRESS]; the address is the loopback one by default
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER   (1024 * 1024)
/* Those that have come at once are taken one after the other. */
#define BACKLOG  4096

typedef enum { NONE, CRC32, SHA256_DIGEST, MD5_DIGEST } kind_t;

typedef struct {
    kind_t      kind;
    uLong       crc;
    SHA256_CTX  sha256;
    MD5_CTX     md5;
} digest_t;

static const char  *kinds[] = { "none", "crc32", "sha256", "md5" };
static char         buffer[BUFFER + 1];


static void
digest_init(digest_t *digest)
{
    digest->crc = crc32(0, NULL, 0);
    SHA256_Init(&digest->sha256);
    MD5_Init(&digest->md5);
}


static void
digest_update(digest_t *digest, const void *data, size_t length)
{
    switch (digest->kind) {
    case CRC32:
        digest->crc = crc32(digest->crc, data, length);
        break;
    case SHA256_DIGEST:
        SHA256_Update(&digest->sha256, data, length);
        break;
    case MD5_DIGEST:
        MD5_Update(&digest->md5, data, length);
        break;
    case NONE:
        break;
    }
}


/* The digest in hexadecimal digits; empty without one. */
static void
digest_final(digest_t *digest, char *text)
{
    unsigned char  bytes[SHA256_DIGEST_LENGTH];
    size_t         length = 0, i;

    switch (digest->kind) {
    case CRC32:
        sprintf(text, "%08lx", digest->crc);
        return;
    case SHA256_DIGEST:
        SHA256_Final(bytes, &digest->sha256);
        length = SHA256_DIGEST_LENGTH;
        break;
    case MD5_DIGEST:
        MD5_Final(bytes, &digest->md5);
        length = MD5_DIGEST_LENGTH;
        break;
    case NONE:
        break;
    }

    for (i = 0; i < length; i++) {
        sprintf(text + 2 * i, "%02x", bytes[i]);
    }

    text[2 * length] = '\0';
}


static int
write_all(int fd, const char *data, size_t length)
{
    ssize_t  n;

    while (length > 0) {
        n = write(fd, data, length);
        if (n < 0) {
            return -1;
        }
        data += n;
        length -= n;
    }

    return 0;
}


/* Reads up to the end of the head. Returns the bytes in the buffer, *head of which are the head; 0 when there is none. */
static size_t
read_head(int client, size_t *head)
{
    char    *end;
    size_t   have = 0;
    ssize_t  n;

    while (have < BUFFER) {
        n = recv(client, buffer + have, BUFFER - have, 0);
        if (n <= 0) {
            return 0;
        }
        have += n;

        end = memmem(buffer, have, "\r\n\r\n", 4);
        if (end != NULL) {
            *head = end + 4 - buffer;
            return have;
        }
    }

    return 0;
}


/* Makes a file that is not there yet. */
static int
make_file(int store)
{
    char         name[32];
    static long  count;

    sprintf(name, "upload-%ld", count++);

    return openat(store, name, O_WRONLY|O_CREAT|O_EXCL, 0600);
}


/* Takes one request. Returns 0 when it has been stored. */
static int
take(int client, int store, digest_t *digest)
{
    char                *field, text[2 * SHA256_DIGEST_LENGTH + 1], answer[256];
    int                  file;
    size_t               have, head;
    ssize_t              n;
    unsigned long long   rest;

    have = read_head(client, &head);
    if (have == 0) {
        return -1;
    }

    buffer[head - 1] = '\0';
    field = strcasestr(buffer, "\r\nContent-Length:");
    rest = field == NULL ? 0 : strtoull(field + sizeof("\r\nContent-Length:") - 1, NULL, 10);

    file = make_file(store);
    if (file < 0) {
        return -1;
    }

    digest_init(digest);
    have -= head;
    digest_update(digest, buffer + head, have);
    if (write_all(file, buffer + head, have) < 0) {
        close(file);
        return -1;
    }

    for (rest -= have; rest > 0; rest -= n) {
        n = recv(client, buffer, rest < BUFFER ? rest : BUFFER, 0);
        if (n <= 0 || write_all(file, buffer, n) < 0) {
            close(file);
            return -1;
        }
        digest_update(digest, buffer, n);
    }

    close(file);
    digest_final(digest, text);
    n = sprintf(answer, "HTTP/1.1 200 OK\r\nX-Digest: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", text);

    return write_all(client, answer, n);
}


int
main(int argc, char **argv)
{
    int                 listener, client, store, on = 1;
    digest_t            digest;
    struct sockaddr_in  address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    if (argc < 4 || argc > 5 || (argc == 5 && inet_pton(AF_INET, argv[4], &address.sin_addr) != 1)) {
        fprintf(stderr, "usage: sink PORT STORE none|crc32|sha256|md5 [ADDRESS]\n");
        return 2;
    }

    for (digest.kind = NONE; strcmp(kinds[digest.kind], argv[3]) != 0; digest.kind++) {
        if (digest.kind == MD5_DIGEST) {
            fprintf(stderr, "sink: no such digest: %s\n", argv[3]);
            return 2;
        }
    }

    address.sin_port = htons(atoi(argv[1]));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    store = open(argv[2], O_RDONLY|O_DIRECTORY);

    if (store < 0 || bind(listener, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(listener, BACKLOG) < 0) {
        perror("sink");
        return 1;
    }

    for ( ;; ) {
        client = accept(listener, NULL, NULL);
        if (client < 0) {
            perror("accept");
            return 1;
        }
        take(client, store, &digest);
        close(client);
    }
}
