/*
 * Writes so many files of such a size, 1 MiB at a time, and does nothing else: what an upload cannot be faster than.
 *
 * Usage: files DIR COUNT SIZE FILE; the bytes are the first of FILE, from its start again where it is shorter. Prints
 * the seconds it took.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE  (1024 * 1024)


static double
seconds(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}


static int
write_file(int dir, long number, const char *input, unsigned long long period, unsigned long long size)
{
    int                  fd;
    char                 name[32];
    ssize_t              n;
    unsigned long long   at, piece;

    snprintf(name, sizeof(name), "%010ld", number);
    fd = openat(dir, name, O_WRONLY|O_CREAT|O_EXCL, 0600);
    if (fd < 0) {
        return -1;
    }

    for (at = 0; at < size; at += n) {
        piece = period - at % period;
        piece = piece < PIECE ? piece : PIECE;
        piece = piece < size - at ? piece : size - at;
        n = write(fd, input + at % period, piece);
        if (n < 0) {
            close(fd);
            return -1;
        }
    }

    return close(fd);
}


int
main(int argc, char **argv)
{
    int           dir, fd;
    long          count, i;
    double        start;
    const char   *input;
    struct stat   status;

    if (argc != 5) {
        fprintf(stderr, "usage: files DIR COUNT SIZE FILE\n");
        return 2;
    }

    dir = open(argv[1], O_RDONLY|O_DIRECTORY);
    fd = open(argv[4], O_RDONLY);
    if (dir < 0 || fd < 0 || fstat(fd, &status) < 0 || status.st_size == 0) {
        perror("files");
        return 1;
    }

    input = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (input == MAP_FAILED) {
        perror("files: mmap");
        return 1;
    }

    count = atol(argv[2]);
    start = seconds();
    for (i = 0; i < count; i++) {
        if (write_file(dir, i, input, status.st_size, strtoull(argv[3], NULL, 10)) < 0) {
            perror("files: write");
            return 1;
        }
    }

    printf("%.6f\n", seconds() - start);
    return 0;
}
