/*
 * Asks for a small page again and again on one connection and prints how long each answer took, in microseconds, one
 * a line.
 *
 * Usage: probe PORT PATH COUNT
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


static double
microseconds(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}


/* Reads one answer with a Content-Length and a 200. Returns 0 when there is one. */
static int
read_answer(int fd)
{
    char     answer[4096], *body, *field;
    size_t   have = 0;
    ssize_t  n;

    while (have < sizeof(answer) - 1) {
        n = recv(fd, answer + have, sizeof(answer) - 1 - have, 0);
        if (n <= 0) {
            return -1;
        }
        have += n;
        answer[have] = '\0';

        body = strstr(answer, "\r\n\r\n");
        field = strcasestr(answer, "\r\nContent-Length:");
        if (body == NULL || field == NULL || field > body) {
            continue;
        }

        if (have >= body + 4 - answer + strtoul(field + sizeof("\r\nContent-Length:") - 1, NULL, 10)) {
            return strncmp(answer, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
        }
    }

    return -1;
}


int
main(int argc, char **argv)
{
    int                 fd, on = 1, length;
    long                count, i;
    char                request[1024];
    double              start;
    struct sockaddr_in  address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    if (argc != 4) {
        fprintf(stderr, "usage: probe PORT PATH COUNT\n");
        return 2;
    }

    address.sin_port = htons(atoi(argv[1]));
    count = atol(argv[3]);
    length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
        perror("probe: connect");
        return 1;
    }

    for (i = 0; i < count; i++) {
        start = microseconds();
        if (send(fd, request, length, 0) != length || read_answer(fd) < 0) {
            fprintf(stderr, "probe: no answer 200 to request %ld\n", i + 1);
            return 1;
        }
        printf("%.1f\n", microseconds() - start);
    }

    return 0;
}
