
/* Gives the fuzz target the files named on the command line, without clang. */

#include "fuzz.h"


int
main(int argc, char **argv)
{
    int             i;
    FILE           *file;
    size_t          n;
    uint8_t        *copy;
    static uint8_t  input[65536];

    for (i = 1; i < argc; i++) {

        file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }

        n = fread(input, 1, sizeof(input), file);
        (void) fclose(file);

        copy = fuzz_copy(input, n);
        (void) LLVMFuzzerTestOneInput(copy, n);
        free(copy);
    }

    printf("%d inputs\n", argc - 1);

    return EXIT_SUCCESS;
}
