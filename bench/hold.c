/*
 * Holds nearly all free memory of a virtual machine, so that what is left stays backed by the host.
 *
 * A machine that hands free memory back in blocks of 2 MiB has to get it again at each large write, which makes the
 * same program take one or four seconds. This process touches all memory that is available but `leave` MiB, gives
 * back all but one page in every 2 MiB and sleeps: the rest is free again, and no block of it can be handed back.
 *
 * Usage: hold LEAVE_MIB; prints "held N MiB" once it is done, and ends with its parent.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE   4096ul
#define BLOCK  (2ul * 1024 * 1024)
#define MIB    (1024ul * 1024)


static unsigned long
available_mib(void)
{
    char           line[256];
    FILE          *file;
    unsigned long  kib = 0;

    file = fopen("/proc/meminfo", "r");
    if (file == NULL) {
        return 0;
    }

    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "MemAvailable: %lu kB", &kib) == 1) {
            break;
        }
    }

    fclose(file);
    return kib / 1024;
}


/* When memory runs out after all, this process is the one to go. */
static void
be_the_first_victim(void)
{
    FILE  *file = fopen("/proc/self/oom_score_adj", "w");

    if (file != NULL) {
        fputs("1000", file);
        fclose(file);
    }
}


int
main(int argc, char **argv)
{
    char           *memory;
    unsigned long   available, leave, bytes, at;

    leave = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (leave == 0) {
        fprintf(stderr, "usage: hold LEAVE_MIB\n");
        return 2;
    }

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    be_the_first_victim();

    available = available_mib();
    if (available <= leave) {
        fprintf(stderr, "%lu MiB are available, %lu are to be left\n", available, leave);
        return 1;
    }

    bytes = (available - leave) * MIB / BLOCK * BLOCK;
    memory = mmap(NULL, bytes, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        return 1;
    }

    /* A huge page would be given back as a whole. */
    madvise(memory, bytes, MADV_NOHUGEPAGE);

    for (at = 0; at < bytes; at += PAGE) {
        memory[at] = 1;
    }

    for (at = 0; at < bytes; at += BLOCK) {
        madvise(memory + at + PAGE, BLOCK - PAGE, MADV_DONTNEED);
    }

    printf("held %lu MiB\n", bytes / MIB);
    fflush(stdout);

    for ( ;; ) {
        pause();
    }
}
