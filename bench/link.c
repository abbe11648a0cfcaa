/*
 * A link between two network namespaces of its own: delay, loss and a rate, where the kernel has no netem.
 *
 * Makes two namespaces with a TUN device each, 10.77.0.1 in the first and 10.77.0.2 in the second, and carries every
 * IP packet from one to the other. Each direction is a queue before a line of a rate, and a delay behind it:
 *
 *   device -> loss -> queue (drops what does not fit) -> line (one bit after the other) -> delay -> device
 *
 * Usage: link RATE_MBIT DELAY_US QUEUE_BYTES; DELAY_US is of one direction. Prints "ready FD FD" once it carries packets:
 * `nsenter --net=/proc/PID/fd/FD` enters a namespace. Then it takes a line on stdin and answers it with one on stdout:
 *
 *   loss PPM SEED   from now on so many of a million packets are lost, in each direction; the counters begin anew
 *   stats           packets that passed, were lost, and were dropped by a full queue, of both directions together
 *
 * Ends with its stdin or its parent; the namespaces end with the last process in them.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MTU     1500
/* What Ethernet adds to a packet: header, checksum, preamble and the gap between two. */
#define FRAME   38
/* Packets on their way in one direction, a power of two: what 50 ms at 1 Gb/s hold, four times. */
#define SLOTS   16384
/* How long packets are gathered before they are delivered together, as a network card does. */
#define GATHER_NS  100000
/* A device must not drop while this process waits for its turn. */
#define DEVICE_QUEUE  10000

#define SECOND_NS  1000000000ull


typedef struct {
    uint64_t  due;
    uint32_t  length;
    uint8_t   bytes[MTU];
} packet_t;


/* What both directions have in common. */
typedef struct {
    uint64_t  ns_per_kibit;
    uint64_t  delay_ns;
    uint64_t  queue_ns;
    uint32_t  loss_ppm;
} line_t;


typedef struct {
    int        from;
    int        to;
    uint64_t   random;
    /* When the line has sent all that it was given. */
    uint64_t   free_at;
    uint64_t   passed;
    uint64_t   lost;
    uint64_t   dropped;
    uint32_t   head;
    uint32_t   tail;
    packet_t  *ring;
} direction_t;


static uint64_t
now_ns(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}


/* Splitmix64: the next number of a sequence that its seed alone decides. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t  z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}


/* Nanoseconds that the line takes for so many bytes. */
static uint64_t
line_time(const line_t *line, uint64_t bytes)
{
    return bytes * 8 * line->ns_per_kibit / 1024;
}


/* Gives a packet to the line, or loses it. */
static void
accept_packet(direction_t *d, const line_t *line, packet_t *packet, uint64_t now)
{
    uint64_t  waits;

    if (next_random(&d->random) % 1000000 < line->loss_ppm) {
        d->lost++;
        return;
    }

    if (d->free_at < now) {
        d->free_at = now;
    }

    waits = d->free_at - now;
    if (waits > line->queue_ns) {
        d->dropped++;
        return;
    }

    d->free_at += line_time(line, packet->length + FRAME);
    packet->due = d->free_at + line->delay_ns;
    d->tail++;
    d->passed++;
}


static void
read_packets(direction_t *d, const line_t *line)
{
    ssize_t    n;
    packet_t  *packet, spare;

    for ( ;; ) {
        /* Small packets fill the ring before they fill the queue: they are dropped all the same. */
        packet = d->tail - d->head < SLOTS ? &d->ring[d->tail % SLOTS] : &spare;
        n = read(d->from, packet->bytes, MTU);
        if (n <= 0) {
            return;
        }

        if (packet == &spare) {
            d->dropped++;
            continue;
        }

        packet->length = n;
        accept_packet(d, line, packet, now_ns());
    }
}


static void
deliver(direction_t *d)
{
    uint64_t   now = now_ns();
    packet_t  *packet;

    while (d->head != d->tail) {
        packet = &d->ring[d->head % SLOTS];
        if (packet->due > now) {
            return;
        }

        /* A device that takes no packet has lost it, as any network card would. */
        if (write(d->to, packet->bytes, packet->length) < 0) {
            d->dropped++;
        }
        d->head++;
    }
}


static int
set_up(const char *device, const char *address)
{
    int                  fd, ok;
    struct ifreq         request = { 0 };
    struct sockaddr_in  *in = (struct sockaddr_in *) &request.ifr_addr;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    snprintf(request.ifr_name, IFNAMSIZ, "%s", device);

    in->sin_family = AF_INET;
    inet_pton(AF_INET, address, &in->sin_addr);
    ok = ioctl(fd, SIOCSIFADDR, &request) == 0;

    inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
    ok = ok && ioctl(fd, SIOCSIFNETMASK, &request) == 0;

    request.ifr_qlen = DEVICE_QUEUE;
    ok = ok && ioctl(fd, SIOCSIFTXQLEN, &request) == 0;

    ok = ok && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

    snprintf(request.ifr_name, IFNAMSIZ, "lo");
    ok = ok && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

    close(fd);
    return ok ? 0 : -1;
}


/* Goes to a new namespace and makes the device there, which stays with it. Returns the device, -1 with errno set. */
static int
make_end(const char *address, int *namespace)
{
    int           fd;
    struct ifreq  request = { .ifr_flags = IFF_TUN|IFF_NO_PI };

    if (unshare(CLONE_NEWNET) < 0) {
        return -1;
    }

    *namespace = open("/proc/thread-self/ns/net", O_RDONLY);
    fd = open("/dev/net/tun", O_RDWR|O_NONBLOCK|O_CLOEXEC);
    snprintf(request.ifr_name, IFNAMSIZ, "link");

    if (*namespace < 0 || fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || set_up("link", address) < 0) {
        return -1;
    }

    return fd;
}


static void
begin_anew(direction_t *d, uint64_t seed)
{
    d->random = seed;
    d->passed = d->lost = d->dropped = 0;
}


/* Answers a line of stdin. Returns -1 when there will be no more. */
static int
take_command(line_t *line, direction_t *up, direction_t *down)
{
    char                text[128];
    ssize_t             n;
    uint32_t            ppm;
    unsigned long long  seed;

    n = read(STDIN_FILENO, text, sizeof(text) - 1);
    if (n <= 0) {
        return -1;
    }

    text[n] = '\0';
    if (sscanf(text, "loss %u %llu", &ppm, &seed) == 2) {
        line->loss_ppm = ppm;
        begin_anew(up, seed);
        begin_anew(down, ~seed);
        printf("ok\n");

    } else if (strcmp(text, "stats\n") == 0) {
        printf("%lu %lu %lu\n", up->passed + down->passed, up->lost + down->lost, up->dropped + down->dropped);

    } else {
        printf("not understood\n");
    }

    fflush(stdout);
    return 0;
}


static void
carry(line_t *line, direction_t *up, direction_t *down)
{
    struct pollfd    fds[] = { { STDIN_FILENO, POLLIN, 0 }, { up->from, POLLIN, 0 }, { down->from, POLLIN, 0 } };
    struct timespec  gather = { 0, GATHER_NS };

    for ( ;; ) {
        read_packets(up, line);
        read_packets(down, line);
        deliver(up);
        deliver(down);

        if (up->head == up->tail && down->head == down->tail) {
            poll(fds, 3, -1);

        } else {
            clock_nanosleep(CLOCK_MONOTONIC, 0, &gather, NULL);
            poll(fds, 1, 0);
        }

        if (fds[0].revents != 0 && take_command(line, up, down) < 0) {
            return;
        }
    }
}


int
main(int argc, char **argv)
{
    int          a, b;
    line_t       line = { 0 };
    direction_t  up = { 0 }, down = { 0 };

    if (argc != 4 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: link RATE_MBIT DELAY_US QUEUE_BYTES\n");
        return 2;
    }

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1000);

    line.ns_per_kibit = 1024 * 1000 / atoi(argv[1]);
    line.delay_ns = atoll(argv[2]) * 1000;
    line.queue_ns = line_time(&line, atoll(argv[3]));

    up.from = down.to = make_end("10.77.0.1", &a);
    if (up.from < 0) {
        perror("link: the first namespace");
        return 1;
    }

    down.from = up.to = make_end("10.77.0.2", &b);
    if (down.from < 0) {
        perror("link: the second namespace");
        return 1;
    }

    up.ring = calloc(SLOTS, sizeof(packet_t));
    down.ring = calloc(SLOTS, sizeof(packet_t));
    if (up.ring == NULL || down.ring == NULL) {
        perror("link");
        return 1;
    }

    printf("ready %d %d\n", a, b);
    fflush(stdout);
    carry(&line, &up, &down);
    return 0;
}
