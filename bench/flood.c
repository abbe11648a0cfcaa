/*
 * Uploads many times at once over HTTP/1.1, from one thread, with bytes from a file.
 *
 * Usage: flood PORT PATH form|raw CONNECTIONS UPLOADS SIZE FILE
 *
 * Each of UPLOADS requests has a connection of its own, CONNECTIONS of them at a time, and sends the first SIZE bytes
 * of FILE (from its start again when it is shorter). At the end, or when told to end by SIGTERM, it prints a line of
 * JSON: seconds, uploads that were answered 200, and all others.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY  "slipway-benchmark-boundary"
/* So much for one connection before the next has its turn. */
#define TURN      (256 * 1024)

typedef struct {
    int                 fd;
    unsigned long long  sent;      /* of head, body and tail together */
    size_t              received;
    char                answer[512];
} upload_t;

static struct {
    struct sockaddr_in  address;
    int                 epoll;
    char                head[1024];
    size_t              head_length;
    const char         *tail;
    size_t              tail_length;
    unsigned long long  size;
    const char         *file;
    unsigned long long  file_length;
    long                left, answered, failed;
} flood;

static volatile sig_atomic_t  told;


static void
on_term(int signo)
{
    (void) signo;
    told = 1;
}


static void
make_request(const char *path, int form)
{
    const char         *part;
    unsigned long long  length;

    part = "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"upload.bin\"\r\n"
           "Content-Type: application/octet-stream\r\n\r\n";
    flood.tail = form ? "\r\n--" BOUNDARY "--\r\n" : "";
    flood.tail_length = strlen(flood.tail);
    length = (form ? strlen(part) : 0) + flood.size + flood.tail_length;

    flood.head_length = snprintf(flood.head, sizeof(flood.head),
        "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %llu\r\n"
        "Connection: close\r\n\r\n%s",
        form ? "POST" : "PUT", path,
        form ? "multipart/form-data; boundary=" BOUNDARY : "application/octet-stream", length, form ? part : "");
}


/* What is to be sent next, and how much of it there is. */
static const char *
next_bytes(const upload_t *upload, size_t *length)
{
    unsigned long long  at = upload->sent, in_file, rest;

    if (at < flood.head_length) {
        *length = flood.head_length - at;
        return flood.head + at;
    }

    at -= flood.head_length;
    if (at < flood.size) {
        in_file = at % flood.file_length;
        rest = flood.size - at;
        *length = rest < TURN ? rest : TURN;
        if (*length > flood.file_length - in_file) {
            *length = flood.file_length - in_file;
        }
        return flood.file + in_file;
    }

    at -= flood.size;
    *length = flood.tail_length - at;
    return flood.tail + at;
}


static int
begin(upload_t *upload)
{
    struct epoll_event  event = { .events = EPOLLIN|EPOLLOUT, .data.ptr = upload };

    memset(upload, 0, sizeof(*upload));
    upload->fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);
    if (upload->fd < 0
        || (connect(upload->fd, (struct sockaddr *) &flood.address, sizeof(flood.address)) < 0
            && errno != EINPROGRESS)
        || epoll_ctl(flood.epoll, EPOLL_CTL_ADD, upload->fd, &event) < 0)
    {
        perror("flood: connect");
        return -1;
    }

    flood.left--;
    return 0;
}


/* Sends one turn. When the connection is broken, the next turn reads the answer that may be there, or the error. */
static void
send_turn(upload_t *upload)
{
    size_t              length;
    ssize_t             n;
    const char         *bytes;
    struct epoll_event  event = { .events = EPOLLIN, .data.ptr = upload };

    bytes = next_bytes(upload, &length);
    if (length == 0) {
        epoll_ctl(flood.epoll, EPOLL_CTL_MOD, upload->fd, &event);
        return;
    }

    n = send(upload->fd, bytes, length, MSG_NOSIGNAL);
    if (n > 0) {
        upload->sent += n;
    }
}


/* Reads of the answer. Returns 1 when it has ended, whatever it was. */
static int
receive(upload_t *upload)
{
    ssize_t  n;

    /* Only the first bytes matter; the rest is read and forgotten, up to the end of the connection. */
    if (upload->received == sizeof(upload->answer) - 1) {
        upload->received = 12;
    }

    n = recv(upload->fd, upload->answer + upload->received, sizeof(upload->answer) - 1 - upload->received, 0);
    if (n > 0) {
        upload->received += n;
        return 0;
    }

    return n == 0 || errno != EAGAIN;
}


static int
end(upload_t *upload)
{
    if (strncmp(upload->answer, "HTTP/1.1 200", 12) == 0) {
        flood.answered++;
    } else {
        flood.failed++;
        if (flood.failed == 1) {
            fprintf(stderr, "flood: an upload failed after %llu bytes: %.80s\n", upload->sent,
                    upload->received ? upload->answer : "no answer");
        }
    }

    close(upload->fd);
    upload->fd = -1;
    return flood.left > 0 ? begin(upload) : 0;
}


static int
run(upload_t *uploads, long connections)
{
    int                 count, i;
    long                open;
    upload_t           *upload;
    struct epoll_event  events[256];

    for (i = 0; i < connections && flood.left > 0; i++) {
        if (begin(&uploads[i]) < 0) {
            return -1;
        }
    }

    for (open = i; open > 0 && !told; ) {
        count = epoll_wait(flood.epoll, events, 256, -1);

        for (i = 0; i < count; i++) {
            upload = events[i].data.ptr;

            if ((events[i].events & ~EPOLLOUT) && receive(upload)) {
                if (end(upload) < 0) {
                    return -1;
                }
                open -= upload->fd < 0;
                continue;
            }

            if (events[i].events & EPOLLOUT) {
                send_turn(upload);
            }
        }
    }

    return 0;
}


/* A thousand connections are more than the usual soft limit allows. */
static void
allow_descriptors(void)
{
    struct rlimit  limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}


static double
seconds(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int          fd;
    long         connections;
    double       start;
    upload_t    *uploads;
    struct stat  status;

    if (argc != 8 || (strcmp(argv[3], "form") != 0 && strcmp(argv[3], "raw") != 0)) {
        fprintf(stderr, "usage: flood PORT PATH form|raw CONNECTIONS UPLOADS SIZE FILE\n");
        return 2;
    }

    flood.address.sin_family = AF_INET;
    flood.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    flood.address.sin_port = htons(atoi(argv[1]));
    connections = atol(argv[4]);
    flood.left = atol(argv[5]);
    flood.size = strtoull(argv[6], NULL, 10);

    fd = open(argv[7], O_RDONLY);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size == 0) {
        perror("flood: file");
        return 1;
    }
    flood.file_length = status.st_size;
    flood.file = mmap(NULL, flood.file_length, PROT_READ, MAP_SHARED, fd, 0);
    uploads = calloc(connections, sizeof(*uploads));
    flood.epoll = epoll_create1(0);
    if (flood.file == MAP_FAILED || uploads == NULL || flood.epoll < 0) {
        perror("flood");
        return 1;
    }

    allow_descriptors();
    signal(SIGTERM, on_term);
    make_request(argv[2], strcmp(argv[3], "form") == 0);
    start = seconds();
    if (run(uploads, connections) < 0) {
        return 1;
    }

    printf("{\"seconds\":%.6f,\"answered\":%ld,\"failed\":%ld}\n", seconds() - start, flood.answered, flood.failed);
    return 0;
}
